import * as v from "valibot";
import { parseToml } from "../../config/toml.ts";
import { isId } from "../../core/id.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import type { Client } from "./client.ts";

/** What identifies the certificate of a client. */
export interface CertificateNames {
  /** DNS and URI names, in order. */
  readonly names: readonly string[];
  readonly commonName: string | undefined;
  /** SHA-256 of the certificate, hex. */
  readonly fingerprint: string;
}

/** A client that may connect. */
interface Entry {
  readonly san?: string | undefined;
  readonly cn?: string | undefined;
  readonly fingerprint?: string | undefined;
  readonly agents?: readonly string[] | undefined;
  readonly operator?: boolean | undefined;
}

/** Which clients may connect. An empty list is nobody. */
export interface AllowList {
  readonly authorized: readonly Entry[];
  /** Fingerprints that may not, whatever else is said. */
  readonly revoked: ReadonlySet<string>;
}

const Fingerprint = v.pipe(
  v.string(),
  v.transform((text) => text.toLowerCase().replaceAll(":", "").replace(/^sha256[-/ ]?/, "")),
  v.regex(/^[0-9a-f]{64}$/, "is not a SHA-256 in hex"),
);
const Name = v.pipe(v.string(), v.nonEmpty("is empty"));
const Schema = v.strictObject({
  authorized: v.optional(
    v.array(v.pipe(
      v.strictObject({
        san: v.optional(Name),
        cn: v.optional(Name),
        fingerprint: v.optional(Fingerprint),
        agents: v.optional(
          v.array(v.pipe(v.string(), v.check((id) => isId("agt", id), "is not an agent"))),
        ),
        operator: v.optional(v.boolean()),
        issued_at: v.optional(v.union([v.string(), v.date()])),
        notes: v.optional(v.string()),
      }),
      v.check(
        ({ san, cn, fingerprint }) => san !== undefined || cn !== undefined || !!fingerprint,
        "names no client: write san, cn or fingerprint",
      ),
    )),
    [],
  ),
  revoked: v.optional(
    v.array(v.strictObject({
      fingerprint: Fingerprint,
      revoked_at: v.optional(v.union([v.string(), v.date()])),
      notes: v.optional(v.string()),
    })),
    [],
  ),
});

/** Reads the list of clients; a mistake anywhere makes it no list. */
export function parseAllowList(text: string, file: string): Result<AllowList> {
  const document = parseToml(text, file);
  if (!document.ok) return document;
  const parsed = v.safeParse(Schema, document.value.root);
  if (!parsed.success) return err(fault(file, parsed.issues[0]));
  return ok({
    authorized: parsed.output.authorized,
    revoked: new Set(parsed.output.revoked.map(({ fingerprint }) => fingerprint)),
  });
}

/**
 * Finds the entry that lets a certificate in: everything that the entry names is
 * the certificate's. Of several the first with a fingerprint, else the first.
 */
export function findClient(
  { authorized, revoked }: AllowList,
  { names, commonName, fingerprint }: CertificateNames,
): Omit<Client, "name"> | undefined {
  if (revoked.has(fingerprint)) return undefined;
  const fitting = authorized.filter((entry) =>
    (entry.fingerprint === undefined || entry.fingerprint === fingerprint) &&
    (entry.san === undefined || names.includes(entry.san)) &&
    (entry.cn === undefined || entry.cn === commonName)
  );
  const found = fitting.find((entry) => entry.fingerprint !== undefined) ?? fitting[0];
  return found && { agents: found.agents, isOperator: found.operator === true };
}

function fault(file: string, issue: v.BaseIssue<unknown>): FirmaError {
  const path = v.getDotPath(issue) ?? "it";
  return {
    code: "CLIENTS_INVALID",
    message: `Cannot use the list of clients "${file}": "${path}" ${
      issue.type === "strict_object" ? "is not known here" : issue.message
    }`,
    cure: 'write [[authorized]] with san = "…", cn = "…" or fingerprint = "…"',
    at: { file },
  };
}

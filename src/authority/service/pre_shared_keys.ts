import { Buffer } from "node:buffer";
import { timingSafeEqual } from "node:crypto";
import * as v from "valibot";
import { parseToml } from "../../config/toml.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { FileWatch } from "../file_watch.ts";
import { preSharedKeyDigest, SHORTEST_KEY, type SidecarCredentials } from "../pre_shared_key.ts";

const Name = v.pipe(v.string(), v.nonEmpty("is empty"));
const Schema = v.strictObject({
  sidecars: v.optional(
    v.array(v.strictObject({
      workspace_id: Name,
      sidecar_id: Name,
      key_sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "is not a SHA-256 in hex")),
      notes: v.optional(v.string()),
    })),
    [],
  ),
});

/** SHA-256 of each key, in hex, by whose it is. */
type Digests = ReadonlyMap<string, string>;

/** Reads a list of pre-shared keys; a mistake anywhere makes it no list. */
export function parsePreSharedKeys(text: string, file: string): Result<Digests> {
  const document = parseToml(text, file);
  if (!document.ok) return document;
  const parsed = v.safeParse(Schema, document.value.root);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const state = issue.type === "strict_object" ? "is not known here" : issue.message;
    return err(fault(file, `"${v.getDotPath(issue) ?? "it"}" ${state}`));
  }
  const digests = new Map<string, string>();
  for (const { workspace_id, sidecar_id, key_sha256 } of parsed.output.sidecars) {
    const owner = ownerOf(workspace_id, sidecar_id);
    if (digests.has(owner)) return err(fault(file, `${owner} is there twice`));
    digests.set(owner, key_sha256);
  }
  return ok(digests);
}

interface Entry {
  readonly digest: string;
  readonly withdrawn: AbortController;
}

type Report = (level: "info" | "error", text: string) => void;

/**
 * The keys that Sidecars share with the Authority, beside their certificates: of
 * each the digest alone. An edit of the list holds at once, for what is open too.
 */
export class PreSharedKeys {
  readonly #file: string;
  readonly #report: Report;
  readonly #watch: FileWatch;
  #entries: ReadonlyMap<string, Entry>;

  private constructor(file: string, digests: Digests, report: Report) {
    this.#file = file;
    this.#report = report;
    this.#entries = entriesOf(digests, new Map());
    this.#watch = FileWatch.start([file], () => this.#reload());
  }

  /** Reads the list and goes on watching it; fails when it cannot be used. */
  static async open(file: string, report: Report): Promise<Result<PreSharedKeys>> {
    const digests = await readPreSharedKeys(file);
    return digests.ok ? ok(new PreSharedKeys(file, digests.value, report)) : digests;
  }

  /**
   * Judges what a client shows. The signal aborts when that is right no longer;
   * the error is for the operator alone.
   */
  check(shown: SidecarCredentials | undefined): Result<AbortSignal, string> {
    if (shown === undefined || shown.preSharedKey === "") return err("it sent no pre-shared key");
    const owner = ownerOf(shown.workspaceId, shown.sidecarId);
    const entry = this.#entries.get(owner);
    const digest = preSharedKeyDigest(shown.preSharedKey);
    // Takes as long for one that is not there, so that nobody finds out which are.
    const isRight = equal(digest, entry?.digest ?? preSharedKeyDigest(owner));
    if (entry !== undefined && isRight && shown.preSharedKey.length >= SHORTEST_KEY) {
      return ok(entry.withdrawn.signal);
    }
    return err(`its pre-shared key is not that of ${owner}`);
  }

  /** Stops watching the list. */
  async close(): Promise<void> {
    await this.#watch.close();
  }

  async #reload(): Promise<void> {
    const digests = await readPreSharedKeys(this.#file);
    if (!digests.ok) {
      return this.#report("error", `${digests.error.message}; what was read before stays in force`);
    }
    const before = this.#entries;
    this.#entries = entriesOf(digests.value, before);
    this.#report("info", `The list of pre-shared keys has ${digests.value.size} entries`);
    for (const [owner, entry] of before) {
      if (this.#entries.get(owner) !== entry) entry.withdrawn.abort();
    }
  }
}

/** What did not change stays the same entry. */
function entriesOf(digests: Digests, before: ReadonlyMap<string, Entry>): Map<string, Entry> {
  return new Map(
    [...digests].map(([owner, digest]) => {
      const known = before.get(owner);
      const entry = known?.digest === digest ? known : { digest, withdrawn: new AbortController() };
      return [owner, entry];
    }),
  );
}

function ownerOf(workspaceId: string, sidecarId: string): string {
  return `sidecar ${JSON.stringify(sidecarId)} of workspace ${JSON.stringify(workspaceId)}`;
}

function equal(a: string, b: string): boolean {
  return timingSafeEqual(Buffer.from(a), Buffer.from(b));
}

async function readPreSharedKeys(file: string): Promise<Result<Digests>> {
  try {
    return parsePreSharedKeys(await Deno.readTextFile(file), file);
  } catch (cause) {
    const missing = cause instanceof Deno.errors.NotFound;
    return err(fault(file, missing ? "there is no such file" : String(cause)));
  }
}

function fault(file: string, state: string): FirmaError {
  return {
    code: "PRE_SHARED_KEYS_INVALID",
    message: `Cannot use the list of pre-shared keys "${file}": ${state}`,
    cure: "write [[sidecars]] with workspace_id, sidecar_id and key_sha256",
    at: { file },
  };
}

import type { StoreProgram } from "../store_command.ts";
import { aboutItself, JSON_WORD, NAME, paths, PLAIN_NAME } from "./names.ts";

/** Go takes one dash and two for the same. */
function dashed(options: Readonly<Record<string, RegExp>>): Record<string, RegExp> {
  return Object.fromEntries(
    Object.entries(options).map(([name, like]) => [`-${name}|--${name}`, like]),
  );
}

const json = dashed({ format: JSON_WORD });
const field = dashed({ field: PLAIN_NAME });
const version = dashed({ version: /^[0-9]{1,6}$/ });
const reads = ["-mount?", 0];

// Of an older kind of store, a member "metadata" of the data is a secret like any other.
const answer = {
  kind: "json",
  keep: paths("request_id", "lease_id", "lease_duration", "mount_type"),
} as const;

/**
 * Not where tokens and keys are, the operator's own among them, with whichever command they are asked
 * for; nor are those of a namespace.
 */
const KEPT = "(?!(?:sys|auth|identity|cubbyhole)(?:/|$))" +
  "(?!(?:.*/)?(?:auth/token/|token/lookup-self/?$))";
const after = (conditions: string) => new RegExp(`^${conditions}${NAME.source.slice(1)}`, "u");
/** What gives out secrets, and nothing else. */
const ENGINE = after(`${KEPT}(?=.+/(?:data|creds)/.)`);

const mount = dashed({ mount: after(`${KEPT}(?!(?:.*/)?auth(?:/|$))`) });
const secret = { like: after(KEPT) };

/** Vault 1 of HashiCorp, OpenBao 2. */
export const VAULT: StoreProgram = {
  sensitive: [
    { words: ["kv", "get"], operands: [secret], options: { ...mount, ...version } },
    { words: ["read"], operands: [{ like: ENGINE }], options: {} },
  ].flatMap(({ words, operands, options }) => [
    {
      ...{ words, operands, optionsFirst: true, reads },
      options: { ...options, ...json },
      needs: ["-format"],
      output: answer,
    },
    {
      ...{ words, operands, optionsFirst: true, reads },
      options: { ...options, ...field },
      needs: ["-field"],
      output: { kind: "value" } as const,
    },
  ]),
  safe: [
    {
      words: ["kv", "list"],
      operands: [secret],
      options: { ...mount, ...json },
      optionsFirst: true,
    },
    { words: ["secrets", "list"], options: json },
    { words: ["status"], options: json },
    ...aboutItself("version", "-version", "--version", "-v", "-h", "-help", "--help"),
  ],
};

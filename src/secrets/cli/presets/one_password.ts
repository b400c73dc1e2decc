import type { StoreProgram } from "../store_command.ts";
import { aboutItself, below, JSON_WORD, NAME, paths, PLAIN_NAME } from "./names.ts";

const REFERENCE = new RegExp(`^op://${NAME.source.slice(1)}`, "u");
const vault = { "--vault": PLAIN_NAME };
const format = { "--format": /^(?:json|human-readable)$/ };
const item = { like: PLAIN_NAME };
const reads = ["--vault", 0];

/** 1Password CLI 2. */
export const ONE_PASSWORD: StoreProgram = {
  sensitive: [
    {
      words: ["read"],
      operands: [{ like: REFERENCE }],
      options: { "-n|--no-newline": "flag" },
      output: { kind: "value" },
      reads: [0],
    },
    {
      words: ["item", "get"],
      operands: [item],
      options: { ...vault, "--format": JSON_WORD, "--fields": PLAIN_NAME, "--reveal": "flag" },
      needs: ["--format"],
      output: {
        kind: "json",
        keep: [
          ...paths("id", "title", "version", "vault.id", "vault.name", "category", "tags.*"),
          ...paths("created_at", "updated_at", "sections.*.id", "sections.*.label"),
          // Of one field, of some, or of all.
          ...below(["", "*.", "fields.*."], "id", "type", "purpose", "label", "reference"),
        ],
      },
      reads,
    },
    {
      words: ["item", "get"],
      operands: [item],
      // Several would come as lines of CSV.
      options: { ...vault, "--fields": /^[^,\p{Cc}]{1,128}$/u, "--reveal": "flag" },
      needs: ["--fields", "--reveal"],
      output: { kind: "value" },
      reads,
    },
    {
      words: ["item", "get"],
      operands: [item],
      options: { ...vault, "--otp": "flag" },
      needs: ["--otp"],
      output: { kind: "value" },
      reads,
    },
  ],
  safe: [
    { words: ["item", "list"], options: { ...vault, ...format, "--tags": PLAIN_NAME } },
    { words: ["vault", "list"], options: format },
    { words: ["vault", "get"], operands: [item], options: format },
    { words: ["account", "list"], options: format },
    { words: ["whoami"], options: format },
    ...aboutItself("--version", "-v", "--help", "-h"),
  ],
};

import type { StoreProgram } from "../store_command.ts";
import { aboutItself, below, JSON_WORD, paths, PLAIN_NAME, UUID } from "./names.ts";

const options = { "-o|--output": JSON_WORD, "-c|--color": /^no$/ };
const OPEN = ["object", "id", "organizationId", "projectId", "key", "creationDate", "revisionDate"];
const project = { like: UUID, isOptional: true };

/** Bitwarden Secrets Manager CLI 1: prints JSON where nothing else is said. */
export const BITWARDEN_SECRETS: StoreProgram = {
  sensitive: [
    {
      words: ["secret", "get"],
      operands: [{ like: UUID }],
      options,
      output: { kind: "json", keep: paths(...OPEN) },
      reads: [0],
    },
    {
      words: ["secret", "list"],
      operands: [project],
      options,
      output: { kind: "json", keep: below(["*."], ...OPEN) },
      reads: [0],
    },
  ],
  safe: [
    { words: ["project", "list"], options },
    { words: ["project", "get"], operands: [{ like: UUID }], options },
    ...aboutItself("--version", "-V", "--help", "-h"),
  ],
};

const item = { like: PLAIN_NAME };
const quiet = { "--nointeraction": "flag", "--raw": "flag" } as const;

/** Bitwarden CLI. */
export const BITWARDEN: StoreProgram = {
  sensitive: [
    ...["password", "username", "totp", "notes", "uri"].map((word) => ({
      words: ["get", word],
      operands: [item],
      options: quiet,
      output: { kind: "value" } as const,
      reads: [0],
    })),
    {
      words: ["get", "item"],
      operands: [item],
      options: quiet,
      output: {
        kind: "json",
        keep: paths("object", "id", "organizationId", "folderId", "type", "reprompt", "name")
          .concat(paths("collectionIds.*", "creationDate", "revisionDate")),
      },
      reads: [0],
    },
  ],
  safe: [
    ...["folders", "collections", "organizations"].map((word) => ({
      words: ["list", word],
      options: quiet,
    })),
    ...aboutItself("status", "--version", "-v", "--help", "-h"),
  ],
};

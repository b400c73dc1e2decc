import { key } from "../../key.ts";
import { PATH } from "../../value_type.ts";
import { credentialKind } from "./kind.ts";

/** `provider = "file"`. */
export const FILE = credentialKind("A file that nobody but you can read", {
  path: key(PATH, {
    about: "File of mode 0600 that holds the secret, and nothing else",
    required: true,
    example: "/home/you/.local/share/firma/credentials/github",
    applies: "live",
  }),
}, { reach: ({ path }) => ({ read: [path] }) });

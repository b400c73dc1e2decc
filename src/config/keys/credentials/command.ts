import { key } from "../../key.ts";
import { list, NOT_EMPTY, oneOf, SIZE, VARIABLE } from "../../value_type.ts";
import { credentialKind } from "./kind.ts";
import { checkProgram } from "./program.ts";

/** What a helper may know of its surroundings without being told so. None of these is secret. */
export const HELPER_VARIABLES = [
  ...["HOME", "USER", "LOGNAME", "PATH", "LANG", "TZ"],
  ...["DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME"],
];

/** `provider = "command"`. */
export const COMMAND = credentialKind("A program that prints the secret", {
  command: key(list(NOT_EMPTY, "list of words"), {
    about: "The program, by its absolute path, and its arguments; there is no shell",
    required: true,
    example: ["/usr/bin/op", "read", "op://Private/github/token"],
    applies: "live",
  }),
  output: key(oneOf(["raw", "json"]), {
    about: "What it prints: `raw`, the secret alone, or `json`, an object with `value`",
    default: "raw",
    example: "json",
    applies: "live",
  }),
  env_passthrough: key(list(VARIABLE, "list of names"), {
    about: "Variables that the program needs; no agent gets them",
    default: [],
    example: ["OP_SERVICE_ACCOUNT_TOKEN"],
    applies: "live",
  }),
  max_output: key(SIZE, {
    about: "More output than this is a fault",
    default: "64 KiB",
    example: "4 KiB",
    applies: "live",
  }),
}, {
  reach: ({ command, env_passthrough }) => ({
    run: command.slice(0, 1),
    secretEnv: env_passthrough.filter((name) => !HELPER_VARIABLES.includes(name)),
    env: HELPER_VARIABLES,
  }),
  check({ command }) {
    const program = command[0];
    if (program === undefined) return { key: "command", state: "it names no program" };
    const checked = checkProgram(program);
    if ("state" in checked) return { key: "command", ...checked };
  },
});

import { key } from "../../key.ts";
import { NOT_EMPTY } from "../../value_type.ts";
import { credentialKind } from "./kind.ts";
import { PROGRAM } from "./program.ts";

/** How a helper finds the keyring of this user. */
export const KEYRING_VARIABLES = ["HOME", "USER", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"];

/** The programs that ask the keyring, by operating system. */
export const KEYRING_PROGRAMS: Readonly<Partial<Record<typeof Deno.build.os, string>>> = {
  linux: "/usr/bin/secret-tool",
  darwin: "/usr/bin/security",
};

/** `provider = "keyring"`. */
export const KEYRING = credentialKind("The keyring of the operating system", {
  service: key(NOT_EMPTY, {
    about: "Name of the service that the entry is for",
    default: "firma",
    example: "my-company",
    applies: "live",
  }),
  account: key(NOT_EMPTY, {
    about: "Name of the entry within the service",
    required: true,
    example: "github",
    applies: "live",
  }),
  program: key(PROGRAM, {
    about: "Program that asks it: `secret-tool`, on macOS `security`",
    otherwise: "`/usr/bin/secret-tool`, on macOS `/usr/bin/security`",
    example: "/usr/local/bin/secret-tool",
    applies: "live",
  }),
}, {
  reach: ({ program }) => ({ run: [keyringProgram(program)], env: KEYRING_VARIABLES }),
});

/** The program that asks the keyring of this machine. */
export function keyringProgram(configured: string | undefined): string {
  return configured ?? KEYRING_PROGRAMS[Deno.build.os] ?? KEYRING_PROGRAMS.linux!;
}

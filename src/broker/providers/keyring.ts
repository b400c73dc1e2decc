import { KEYRING_VARIABLES, keyringProgram } from "../../config/keys/credentials/keyring.ts";
import type { ProviderFactory } from "../provider.ts";
import { unobtainable } from "../provider.ts";
import { runHelper } from "../run_helper.ts";
import { writeSecret } from "../write_secret.ts";
import { pickVariables } from "./variables.ts";

const MAX_OUTPUT = 65_536;

/** A secret from the keyring of the operating system. */
export const keyringProvider: ProviderFactory<"keyring"> = (
  { service, account, program: configured },
  { credential, variable, notify },
) => {
  const program = keyringProgram(configured);
  return {
    kind: "keyring",
    scope: () => "",
    async obtain(_need, signal) {
      const args = keyringArguments(program, service, account);
      const env = pickVariables(KEYRING_VARIABLES, variable);
      const call = { program, args, env, maxOutput: MAX_OUTPUT, notify };
      const output = await runHelper(call, signal);
      if (output.ok && output.value !== "") return writeSecret(credential, output.value);
      const state = output.ok ? "the keyring has no such entry" : output.error;
      return unobtainable(
        credential.label,
        state,
        `firma credentials add ${credential.label} stores it; the keyring must be unlocked`,
      );
    },
  };
};

/** What the program of a keyring is asked: macOS has one of its own. */
export function keyringArguments(program: string, service: string, account: string): string[] {
  if (program.endsWith("/security")) {
    return ["find-generic-password", "-w", "-s", service, "-a", account];
  }
  return ["lookup", "service", service, "account", account];
}

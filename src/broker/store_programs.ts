import { HELPER_VARIABLES } from "../config/keys/credentials/command.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { type CliSecretProvider, providerVerdict } from "../secrets/cli/provider.ts";
import { pickVariables } from "./providers/variables.ts";
import type { ProcessNotice } from "./process_watch.ts";
import { type ProgramOutput, runProgram } from "./run_program.ts";

/** A command of a store's program that an agent wants to be run. */
export interface StoreCommand {
  /** Of the provider in `firma.toml`. */
  readonly provider: string;
  /** Of the agent. */
  readonly sessionId: string;
  /** Without the program's own name. */
  readonly args: readonly string[];
}

/** How many commands of one session run at once: what waits for a fingerprint holds up no other. */
const MOST_RUNNING = 8;

/** Runs the programs of secret stores, as the operator would. */
export class StorePrograms {
  readonly #providers: ReadonlyMap<string, CliSecretProvider>;
  readonly #variable: (name: string) => string | undefined;
  readonly #notify: (notice: ProcessNotice) => void;
  /** By session. */
  readonly #running = new Map<string, number>();

  constructor(
    providers: readonly CliSecretProvider[],
    variable: (name: string) => string | undefined,
    notify: (notice: ProcessNotice) => void,
  ) {
    this.#providers = new Map(providers.map((provider) => [provider.id, provider]));
    this.#variable = variable;
    this.#notify = notify;
  }

  /** Runs a command that is known to be harmless or to print values. Never rejects. */
  async run(
    { provider: id, sessionId, args }: StoreCommand,
  ): Promise<Result<ProgramOutput, FirmaError>> {
    const provider = this.#providers.get(id);
    if (provider === undefined) return unrunnable(id, "there is no such store");
    // Whoever asks has looked already; a mistake there must not run anything else.
    const verdict = providerVerdict(provider, args);
    if (verdict.kind === "blocked") return unrunnable(id, verdict.why);
    const running = this.#running.get(sessionId) ?? 0;
    if (running >= MOST_RUNNING) return unrunnable(id, "too many commands of the session run");
    this.#running.set(sessionId, running + 1);
    try {
      const { program, envPassthrough, timeoutMs, maxOutput } = provider;
      const output = await runProgram({
        program,
        args: verdict.args,
        env: pickVariables([...HELPER_VARIABLES, ...envPassthrough], this.#variable),
        maxOutput,
        timeoutMs,
        notify: this.#notify,
      });
      return output.ok ? ok(output.value) : unrunnable(id, output.error);
    } catch {
      return unrunnable(id, "its program failed"); // what was thrown may quote what was read
    } finally {
      const rest = this.#running.get(sessionId)! - 1;
      if (rest > 0) this.#running.set(sessionId, rest);
      else this.#running.delete(sessionId);
    }
  }
}

function unrunnable(id: string, state: string): Result<never> {
  return err({
    code: "SECRET_STORE_PROGRAM",
    message: `Cannot read from the secret store "${id}": ${state}`,
  });
}

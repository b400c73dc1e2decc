import type { ProgramOutput } from "../../broker/run_program.ts";
import type { StoreCommand } from "../../broker/store_programs.ts";
import type { Execution } from "../../core/local_exec.ts";
import { basename } from "../../core/path.ts";
import type { Result } from "../../core/result.ts";
import type { SocketReader } from "../../net/socket_reader.ts";
import { NOT_RUN } from "../../sandbox/shims/protocol.ts";
import type { CliSecretProvider } from "../../secrets/cli/provider.ts";
import { providerVerdict } from "../../secrets/cli/provider.ts";
import { rewriteOutput } from "../../secrets/cli/rewrite_output.ts";
import type { CommandVerdict } from "../../secrets/cli/store_command.ts";
import type { StoredValue } from "../../secrets/learnt.ts";
import { Masker } from "../../secrets/masker.ts";
import type { SessionSecrets } from "../../secrets/session_secrets.ts";
import type { LearntValue } from "../../secrets/store/rewrite_answer.ts";
import type { SecretPrograms } from "../gate.ts";
import {
  type CommandSurroundings,
  decideCommand,
  endedMeanwhile,
  recordFailure,
  type StoreExecution,
} from "./decide_command.ts";
import { readStubRequest, type StubAnswer, stubBlocks } from "./stub_request.ts";

/** What serving stubs needs. */
export interface SecretProgramsOptions extends CommandSurroundings {
  readonly providers: readonly CliSecretProvider[];
  /** Has a command run outside of every sandbox. Never rejects. */
  readonly run: (command: StoreCommand) => Promise<Result<ProgramOutput>>;
  readonly secretsOf: (sessionId: string) => SessionSecrets;
  /** Hears of values that a session is about to be shown placeholders of; resolves when they are kept. */
  readonly learnt: (sessionId: string, values: readonly StoredValue[]) => Promise<void>;
}

/** A stub that says nothing more holds up the others of its session no longer than that. */
const REQUEST_MS = 10_000;
/** Commands of one session that are under way. */
const MOST_AT_ONCE = 16;

/**
 * Answers the stubs that stand in sandboxes for programs of secret stores: their commands are decided,
 * run by the broker, and shown with placeholders in the places of values.
 */
export class StubService implements SecretPrograms {
  readonly #options: SecretProgramsOptions;
  /** By session. */
  readonly #underWay = new Map<string, number>();

  constructor(options: SecretProgramsOptions) {
    this.#options = options;
  }

  async serve(sessionId: string, store: string, reader: SocketReader): Promise<void> {
    const { socket } = reader;
    const underWay = this.#underWay.get(sessionId) ?? 0;
    this.#underWay.set(sessionId, underWay + 1);
    const left = new AbortController();
    socket.once("close", () => left.abort());
    try {
      const timer = setTimeout(() => socket.destroy(), REQUEST_MS);
      const request = await readStubRequest(reader).finally(() => clearTimeout(timer));
      const provider = this.#options.providers.find(({ id }) => id === store);
      const answer = request === undefined || provider === undefined
        ? refusal("firma", "what it was started with cannot be read")
        : underWay >= MOST_AT_ONCE
        ? refusal(basename(provider.program), "too many commands of secret stores are under way")
        : await this.#answer(sessionId, provider, request, left.signal);
      socket.end(stubBlocks(answer));
    } catch {
      socket.destroy(); // the stub says that it got no answer
    } finally {
      const rest = this.#underWay.get(sessionId)! - 1;
      if (rest > 0) this.#underWay.set(sessionId, rest);
      else this.#underWay.delete(sessionId);
    }
  }

  async #answer(
    sessionId: string,
    provider: CliSecretProvider,
    { cwd, argv }: { readonly cwd: string; readonly argv: readonly string[] },
    left: AbortSignal,
  ): Promise<StubAnswer> {
    const { id: store, program } = provider;
    const name = basename(program);
    const args = argv.slice(1);
    const command = providerVerdict(provider, args);
    const asked = { sessionId, store, command, execution: executionOf(program, args, cwd) };
    if (!await decideCommand(this.#options, asked, left)) {
      const why = command.kind === "blocked" ? ` (${command.why})` : "";
      return refusal(name, `a policy decision, not a fault${why}`);
    }
    if (command.kind === "blocked" || left.aborted) return refusal(name, "it is blocked");
    const output = await this.#options.run({ provider: store, sessionId, args });
    const over = endedMeanwhile(this.#options, asked);
    if (over !== undefined) {
      recordFailure(this.#options, asked, over);
      return refusal(name, "a policy decision, not a fault");
    }
    if (!output.ok) return this.#fail(asked, output.error.message);
    return command.kind === "safe"
      ? this.#masked(sessionId, output.value)
      : await this.#rewritten(asked, command, output.value);
  }

  /** Prints no values of its own; what a session knows of others is taken out all the same. */
  #masked(sessionId: string, { code, stdout, stderr }: ProgramOutput): StubAnswer {
    const secrets = this.#options.secretsOf(sessionId);
    return { stdout: masked(stdout, secrets), stderr: masked(stderr, secrets), status: code };
  }

  async #rewritten(
    asked: StoreExecution,
    { output }: Extract<CommandVerdict, { readonly kind: "sensitive" }>,
    { code, stdout }: ProgramOutput,
  ): Promise<StubAnswer> {
    const { sessionId, store, execution } = asked;
    const name = basename(execution.file);
    if (code !== 0) {
      // Programs quote in errors what they have read; none of that was ever looked through.
      const stderr = `firma: ${name}: it ended with status ${code}; what it says is not shown\n`;
      return { stdout: "", stderr, status: code };
    }
    const learnt: LearntValue[] = [];
    const secrets = this.#options.secretsOf(sessionId);
    const shown = rewriteOutput(stdout, output, secrets, (value) => void learnt.push(value));
    if (learnt.length > 0) {
      const values = learnt.map((value) => ({ kind: "stored", store, ...value }) as const);
      await this.#options.learnt(sessionId, values);
    }
    if (shown === undefined) return this.#fail(asked, "it printed something else than it should");
    // What is no value may quote one: a name, a title.
    return { stdout: masked(shown, secrets), stderr: "", status: 0 };
  }

  #fail(asked: StoreExecution, detail: string): StubAnswer {
    recordFailure(this.#options, asked, { reason: "FailClosed", detail });
    return refusal(basename(asked.execution.file), detail);
  }
}

/** The text without what the session knows of secrets. */
function masked(text: string, secrets: SessionSecrets): string {
  const masker = new Masker(() => secrets.table);
  return masker.push(new TextEncoder().encode(text)).toString() + masker.end().toString();
}

function refusal(name: string, text: string): StubAnswer {
  return { stdout: "", stderr: `firma: ${name}: not run: ${text}\n`, status: NOT_RUN };
}

/**
 * What policies and people see. Who asks is not known by its number: the stub has no way to say that
 * could not be made up. What it says that it was called is not what runs.
 */
function executionOf(program: string, args: readonly string[], cwd: string): Execution {
  const names = [basename(program)];
  const argv = [...names, ...args];
  return { pid: 0, path: program, file: program, names, argv, argc: argv.length, cwd };
}

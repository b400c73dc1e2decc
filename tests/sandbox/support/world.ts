/** A machine in small for the sandbox tests: a user with a home, a project and secrets. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DEFAULT_SIGNALS } from "../../fixtures/default_signals.ts";
import type { SandboxFinding } from "../../../src/core/event.ts";
import type { ConfineCliOptions } from "./confine_cli.ts";
import type { SeenConnection } from "./fake_sidecar.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const NOBODY = 65534;

/** Whom the tests run as. */
export interface Identity {
  readonly name: string;
  readonly uid: number;
}

/** Root and an ordinary user where the tests run as root; else whoever runs them. */
export const IDENTITIES: readonly Identity[] = Deno.uid() === 0
  ? [{ name: "root", uid: 0 }, { name: "an ordinary user", uid: NOBODY }]
  : [{ name: "this user", uid: Deno.uid()! }];

/** How a command ended, and what the Sidecar saw of it. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly seen: readonly SeenConnection[];
  /** What the sandbox told for the record. */
  readonly findings: readonly SandboxFinding[];
}

/** What a test may change about a run. */
export type RunOptions = Partial<Omit<ConfineCliOptions, "command" | "runDir">> & {
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Where the command starts, below that. */
  readonly startIn?: string;
  /** Words before the program that starts it, such as a wrapper. */
  readonly wrapper?: readonly string[];
};

/** Everything lies below one directory, which goes with it. */
export class World implements Disposable {
  readonly root: string;
  readonly home: string;
  readonly project: string;
  readonly state: string;
  /** The firma that commands are run by. */
  readonly source: string;
  readonly #deno: string;
  #runs = 0;

  constructor(readonly identity: Identity) {
    this.root = Deno.makeTempDirSync({ prefix: "firma-" });
    Deno.chmodSync(this.root, 0o755);
    this.home = join(this.root, "home");
    this.project = join(this.home, "project");
    this.state = join(this.root, "state");
    Deno.mkdirSync(this.project, { recursive: true });
    Deno.mkdirSync(join(this.state, "run"), { recursive: true, mode: 0o700 });
    this.source = this.#copySource();
    this.#deno = identity.uid === Deno.uid() ? Deno.execPath() : this.#reachableDeno();
    this.own();
  }

  /** Gives everything to the user; to be called after something was planted. */
  own(): void {
    const { uid } = this.identity;
    if (uid !== Deno.uid()) runSync("chown", "-R", `${uid}:${uid}`, this.root);
  }

  /** Writes a file of the user's, with the directories above it. */
  plant(path: string, text: string): string {
    const file = join(this.root, path);
    Deno.mkdirSync(join(file, ".."), { recursive: true });
    Deno.writeTextFileSync(file, text);
    return file;
  }

  /** The words that run a command in the sandbox, for a test that starts them itself. */
  confined(command: readonly [string, ...string[]], options: RunOptions = {}): {
    readonly words: [string, ...string[]];
    readonly env: Record<string, string>;
    readonly runDir: string;
  } {
    const env = this.#env(options.env);
    const runDir = join(env.FIRMA_STATE_DIR!, "run", `sbx_${++this.#runs}`);
    Deno.mkdirSync(runDir, { mode: 0o700 });
    if (this.identity.uid !== Deno.uid()) {
      Deno.chownSync(runDir, this.identity.uid, this.identity.uid);
    }
    const request: ConfineCliOptions = {
      command,
      runDir,
      sealedDirs: options.sealedDirs ?? [],
      profile: options.profile ?? "generic",
      caCertificatePem: options.caCertificatePem ?? CERTIFICATE,
      withoutSidecar: options.withoutSidecar ?? false,
      sessionless: options.sessionless ?? false,
      ...(options.limits && { limits: options.limits }),
      ...(options.addedFilter && { addedFilter: options.addedFilter }),
      ...(options.viewBuilder && { viewBuilder: options.viewBuilder }),
      ...(options.brokeredHosts && { brokeredHosts: options.brokeredHosts }),
      ...(options.held && { held: options.held }),
      ...(options.startIn && { startIn: options.startIn }),
    };
    const words = [
      ...[this.#deno, "run", "-A", "--quiet", "--no-prompt", "--unstable-net"],
      ...["--no-config", "--no-lock", "--no-remote", "--no-npm"],
      join(this.source, "tests/sandbox/support/confine_cli.ts"),
      JSON.stringify(request),
    ];
    return { words: this.asUser(words), env, runDir };
  }

  /** Runs a command in the sandbox. */
  async run(command: readonly [string, ...string[]], options: RunOptions = {}): Promise<Outcome> {
    const { words, env, runDir } = this.confined(command, options);
    const outcome = await this.#spawn([...options.wrapper ?? [], ...words], env, options.cwd);
    const { connections, findings } = readSeen(join(runDir, "seen.json"));
    return { ...outcome, seen: connections, findings };
  }

  /** Runs a command as the user, without a sandbox: the positive control. */
  async outside(command: readonly [string, ...string[]]): Promise<Outcome> {
    const outcome = await this.#spawn(this.asUser(command), this.#env());
    return { ...outcome, seen: [], findings: [] };
  }

  /** The words that run a command as the user. */
  asUser(words: readonly string[]): [string, ...string[]] {
    const uid = String(this.identity.uid);
    return this.identity.uid === Deno.uid()
      ? words as [string, ...string[]]
      : ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--", ...words];
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }

  #env(extra: Readonly<Record<string, string>> = {}): Record<string, string> {
    return {
      HOME: this.home,
      PATH: "/usr/local/bin:/usr/bin:/bin",
      TERM: "xterm",
      USER: "tester",
      DENO_DIR: join(this.root, "deno-dir"),
      FIRMA_STATE_DIR: this.state,
      HOST_SECRET: "hunter2",
      ...extra,
    };
  }

  async #spawn(
    words: readonly string[],
    env: Record<string, string>,
    cwd = this.project,
  ): Promise<Omit<Outcome, "seen" | "findings">> {
    const [program, ...args] = [...DEFAULT_SIGNALS, ...words];
    const { code, stdout, stderr } = await new Deno.Command(program, {
      args,
      cwd,
      env,
      clearEnv: true,
      stdin: "null",
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  #copySource(): string {
    const copy = join(this.root, "firma");
    this.plant("firma/main.ts", "");
    for (const part of ["src", "tests/sandbox", "deno.json"]) {
      Deno.mkdirSync(join(copy, part, ".."), { recursive: true });
      runSync("cp", "-r", join(ROOT, part), join(copy, part));
    }
    return copy;
  }

  /** Deno may lie in root's own cache. */
  #reachableDeno(): string {
    const deno = Deno.execPath();
    const [program, ...args] = this.asUser(["test", "-x", deno]);
    if (new Deno.Command(program, { args }).outputSync().success) return deno;
    const copy = join(this.root, "deno");
    Deno.copyFileSync(deno, copy);
    return copy;
  }
}

function runSync(program: string, ...args: readonly string[]): void {
  const { success, stderr } = new Deno.Command(program, { args: [...args] }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function readSeen(
  file: string,
): { readonly connections: SeenConnection[]; readonly findings: SandboxFinding[] } {
  try {
    return JSON.parse(Deno.readTextFileSync(file));
  } catch {
    return { connections: [], findings: [] }; // the command did not come to its end
  }
}

/** Stands for the session's authority; nothing here checks a signature. */
export const CERTIFICATE = "-----BEGIN CERTIFICATE-----\nZmlybWE=\n-----END CERTIFICATE-----\n";

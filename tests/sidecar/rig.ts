import { join } from "node:path";
import { selfCommand } from "../../src/config/self_command.ts";
import type { SignedEvent } from "../../src/core/event.ts";
import { newId } from "../../src/core/id.ts";
import { jsonLines } from "../../src/core/json_lines.ts";
import { openControl } from "../../src/daemon/control_client.ts";
import { DEADLINE_MS, eventually } from "../fixtures/deadline.ts";
import { type FrontClient, openFrontClient } from "../fixtures/front_client.ts";
import { startUpstream, type TestUpstream } from "../fixtures/upstream.ts";

/** The name that agents know the upstream of a {@linkcode Rig} by. */
export const HOST = "api.code.test";
const DEFAULT_AGENT = newId("agt");

/** Reading is permitted by {@linkcode POLICY}, writing is not. */
export const RULES = `
[[rules]]
host = "${HOST}"
method = "GET"
action_class = "code.read"

[[rules]]
host = "${HOST}"
method = "POST"
path = "/sse/next"
action_class = "code.read"

[[rules]]
host = "${HOST}"
method = "POST"
action_class = "code.write"
`;

export const POLICY = `
@id("reading") permit (principal, action in [Firma::Action::"code.read"], resource);
`;

const ISSUANCE = `permit (principal, action, resource);\n`;

/** What the Sidecar said on its standard output. */
export interface Line {
  readonly type: string;
  readonly level?: string;
  readonly text?: string;
  readonly control_socket?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

/** An answer of curl. */
export interface CurlAnswer {
  readonly code: number;
  readonly status: number;
  readonly body: string;
  readonly stderr: string;
  /** The `reason` of a problem document, `""` when it is none. */
  readonly reason: string;
}

/** A session at the Sidecar of a rig, with a way in. */
export interface RigSession {
  readonly id: string;
  readonly agentId: string;
  readonly mode: string;
  readonly caPem: string;
  /** Where that stands. */
  readonly caFile: string;
  readonly tokenId: string;
  readonly socket: string;
  /** Variables of the agent that hold placeholders. */
  readonly environment: Readonly<Record<string, string>>;
  /** By the id of a sign-in file: what stands in it. */
  readonly signIns: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly front: FrontClient;
  /** What was said on its connection after the session. */
  readonly told: readonly unknown[];
  /** Resolves when its connection ends. */
  readonly ended: Promise<void>;
  curl(path: string, ...args: string[]): Promise<CurlAnswer>;
}

/** What a test may change about the project of a {@linkcode Rig}. */
export interface RigProject {
  readonly rules?: string;
  readonly policy?: string;
  readonly agentId?: string;
  /** Added to the environment of the Sidecar. */
  readonly env?: Readonly<Record<string, string>>;
  /** Does more to the directory before the Sidecar starts. */
  readonly prepare?: (dir: string) => Promise<void>;
  /** Lines of `[sidecar]` itself. */
  readonly sidecarTable?: string;
  /** Lines of `[sidecar.mapping]`. */
  readonly mappingTable?: string;
  /** Another name that the upstream is reached by, which no rule names. */
  readonly free?: string;
  /** Lines of `[sidecar.authority]`. */
  readonly authority?: string;
  /** Lines for the end of `firma.toml`. */
  readonly more?: string;
  /** As that of a daemon, the Sidecar outlives runs. */
  readonly lasts?: boolean;
  /** The words that start firma; the source without. */
  readonly program?: readonly [string, ...string[]];
}

/** A `__sidecar` process with a project, an upstream and sessions. */
export class Rig implements AsyncDisposable {
  readonly dir: string;
  readonly upstream: TestUpstream;
  readonly lines: Line[] = [];
  readonly #start: () => Deno.ChildProcess;
  #child: Deno.ChildProcess;
  #reading: Promise<unknown>;
  readonly #fronts: FrontClient[] = [];
  readonly #agentId: string;
  readonly #lasts: boolean;
  #stderr = "";

  private constructor(
    dir: string,
    upstream: TestUpstream,
    start: () => Deno.ChildProcess,
    agentId: string,
    lasts: boolean,
  ) {
    this.dir = dir;
    this.#lasts = lasts;
    this.#agentId = agentId;
    this.upstream = upstream;
    this.#start = start;
    this.#child = start();
    this.#reading = this.#read();
  }

  /** Writes a project and starts a Sidecar for it; waits until it is ready or gave up. */
  static async start(
    options: RigProject = {},
  ): Promise<Rig> {
    const dir = await Deno.makeTempDir({ prefix: "firma-rig-" });
    const upstream = await startUpstream(HOST, ...options.free ? [options.free] : []);
    await writeProject(dir, upstream, options);
    await options.prepare?.(dir);
    const [program, ...prefix] = options.program ?? selfCommand();
    const command = new Deno.Command(program, {
      args: [...prefix, "__sidecar"],
      env: { XDG_DATA_HOME: `${dir}/data`, DENO_TLS_CA_STORE: "system,mozilla", ...options.env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    });
    const rig = new Rig(
      dir,
      upstream,
      () => command.spawn(),
      options.agentId ?? DEFAULT_AGENT,
      options.lasts ?? false,
    );
    await rig.#serve();
    return rig;
  }

  /**
   * Starts the Sidecar again, which has ended, and waits as {@linkcode start} does; with
   * `killAfterMs`, kills it after so many milliseconds instead. Its sessions are gone.
   */
  async restart(killAfterMs?: number): Promise<void> {
    await this.#reading;
    for (const front of this.#fronts.splice(0)) await front[Symbol.asyncDispose]();
    this.lines.length = 0;
    // Each run has a directory of its own, unless it was killed before it made it.
    await Deno.remove(join(this.dir, "run"), { recursive: true }).catch(() => {});
    this.#child = this.#start();
    this.#reading = this.#read();
    if (killAfterMs === undefined) return await this.#serve();
    await this.#order();
    await new Promise((resolve) => setTimeout(resolve, killAfterMs));
    await this.kill("SIGKILL");
  }

  async #serve(): Promise<void> {
    await this.#order();
    await eventually(
      "the Sidecar to start",
      () => this.lines.find(({ type }) => type !== "notice"),
    );
  }

  #order(): Promise<void> {
    return this.order({
      type: "start",
      config: `${this.dir}/firma.toml`,
      run_dir: `${this.dir}/run`,
      lasts: this.#lasts,
    });
  }

  /** Says something on the Sidecar's standard input. */
  async order(line: unknown): Promise<void> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
    writer.releaseLock();
  }

  get pid(): number {
    return this.#child.pid;
  }

  get policyFile(): string {
    return `${this.dir}/policies/test.cedar`;
  }

  get auditFile(): string {
    return `${this.dir}/data/firma/audit/audit.jsonl`;
  }

  /** Everything on standard error so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Asks the control API. */
  async control(method: "GET" | "POST", path: string, body?: unknown): Promise<Response> {
    const request = { method, path, ...(body !== undefined && { body }) };
    const answer = await openControl(join(this.dir, "run/control.sock"), request);
    if (!answer.ok) throw new Error(answer.error.message);
    const { status, body: bytes } = answer.value;
    return new Response(status === 204 ? null : bytes, { status });
  }

  /**
   * Registers a session, which lasts until this rig is disposed of, or the connection given up.
   * `special` members go before the usual ones.
   */
  async session(special: Readonly<Record<string, unknown>> = {}): Promise<RigSession> {
    const response = await this.control("POST", "/v1/sessions", {
      sandbox_id: newId("sbx"),
      ...(special.agent === undefined && { agent_id: this.#agentId }),
      profile: "generic",
      command: "curl (3)",
      workspace: "/home/agent/project",
      ...special,
    });
    if (response.status !== 201) throw new Error(await response.text());
    const lines = jsonLines(response.body!);
    const { value: answer } = await lines.next();
    const told: unknown[] = [];
    const ended = (async () => {
      for await (const line of lines) told.push(line);
    })().catch(() => {});
    const caFile = `${this.dir}/session-ca.pem`;
    await Deno.writeTextFile(caFile, answer.ca_certificate);
    const front = openFrontClient(answer.proxy_socket);
    this.#fronts.push(front);
    return {
      id: answer.session_id,
      agentId: answer.agent_id,
      mode: answer.mode,
      caPem: answer.ca_certificate,
      caFile,
      tokenId: answer.token_id,
      socket: answer.proxy_socket,
      environment: answer.environment,
      signIns: answer.sign_ins,
      front,
      told,
      ended,
      curl: (path, ...args) => curl(caFile, front, path, args),
    };
  }

  /** The notices so far whose text matches. */
  notices(pattern: RegExp): string[] {
    return this.lines.flatMap(({ text }) => text !== undefined && pattern.test(text) ? [text] : []);
  }

  /** What the audit log holds now. */
  async events(): Promise<SignedEvent[]> {
    const text = await Deno.readTextFile(this.auditFile);
    return text.split("\n").slice(0, -1).map((line) => JSON.parse(line));
  }

  /** Waits for an event that matches. */
  async event(what: string, matches: (event: SignedEvent) => boolean): Promise<SignedEvent> {
    return await eventually(what, async () => (await this.events()).find(matches));
  }

  /** Closes standard input, as the death of the parent does, and waits for the end. */
  async end(): Promise<Deno.CommandStatus> {
    await this.#child.stdin.close().catch(() => {});
    return await this.#child.status;
  }

  /** Sends a signal, and waits for the end. */
  async kill(signal: Deno.Signal): Promise<Deno.CommandStatus> {
    this.#child.kill(signal);
    return await this.#child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    for (const front of this.#fronts) await front[Symbol.asyncDispose]();
    await this.upstream.close();
    await Deno.remove(this.dir, { recursive: true });
  }

  async #read(): Promise<void> {
    await Promise.all([this.#readLines(this.#child), this.#readErrors(this.#child)]);
  }

  async #readLines({ stdout }: Deno.ChildProcess): Promise<void> {
    let rest = "";
    for await (const text of stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop()!;
      for (const line of lines) this.lines.push(JSON.parse(line));
    }
  }

  async #readErrors({ stderr }: Deno.ChildProcess): Promise<void> {
    for await (const text of stderr.pipeThrough(new TextDecoderStream())) {
      this.#stderr += text;
    }
  }
}

function connectorHost(host: string, upstream: TestUpstream): string {
  return `
[[sidecar.connector.hosts]]
host = "${host}"
connect_addr = "127.0.0.1:${upstream.tlsPort}"
ca_cert_path = "upstream-ca.pem"
`;
}

/** Writes a `firma.toml` and what it names into `dir`. */
export async function writeProject(
  dir: string,
  upstream: TestUpstream,
  options: RigProject,
): Promise<void> {
  for (const name of ["policies", "issuance-policies", "mappings"]) {
    await Deno.mkdir(join(dir, name));
  }
  await Promise.all([
    Deno.writeTextFile(`${dir}/policies/test.cedar`, options.policy ?? POLICY),
    Deno.writeTextFile(`${dir}/issuance-policies/issuance.cedar`, ISSUANCE),
    Deno.writeTextFile(`${dir}/mappings/test.toml`, options.rules ?? RULES),
    Deno.writeTextFile(`${dir}/upstream-ca.pem`, upstream.caPem),
    Deno.writeTextFile(
      `${dir}/firma.toml`,
      `
[sidecar]
${options.sidecarTable ?? ""}

[sidecar.authority]
agent_id = "${options.agentId ?? DEFAULT_AGENT}"
${options.authority ?? ""}

[sidecar.mapping]
rules_paths = ["mappings/test.toml"]
${options.mappingTable ?? ""}
${
        [HOST, ...options.free ? [options.free] : []].map((host) => connectorHost(host, upstream))
          .join("")
      }
${options.more ?? ""}
`,
    ),
  ]);
}

async function curl(
  caFile: string,
  front: FrontClient,
  path: string,
  args: readonly string[],
): Promise<CurlAnswer> {
  const url = path.startsWith("/") ? `https://${HOST}${path}` : path;
  const { code, stdout, stderr } = await new Deno.Command("curl", {
    args: [
      "-sS",
      "--max-time",
      String(DEADLINE_MS / 1000),
      "--cacert",
      caFile,
      "--proxy",
      front.url,
      "--write-out",
      "\n%{http_code}",
      ...args,
      url,
    ],
    env: { NO_PROXY: "", no_proxy: "" },
  }).output();
  const text = new TextDecoder().decode(stdout);
  const at = text.lastIndexOf("\n");
  const body = text.slice(0, at);
  return {
    code,
    body,
    status: Number(text.slice(at + 1)),
    stderr: new TextDecoder().decode(stderr),
    reason: /"reason":"(\w+)"/.exec(body)?.[1] ?? "",
  };
}

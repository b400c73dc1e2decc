/** Commands below an execution gate, with a Sidecar of the test's own that decides them. */
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { CommandFile } from "../../../src/commands/rule_file.ts";
import type { ExecEvent } from "../../../src/core/event.ts";
import { SocketReader } from "../../../src/net/socket_reader.ts";
import { type ExecutionsOptions, LocalExecutions } from "../../../src/sidecar/exec/executions.ts";
import { SessionTable } from "../../../src/sidecar/pipeline/session_table.ts";
import { Standing } from "../../../src/sidecar/pipeline/standing.ts";
import { bundle } from "../../policy/support.ts";
import { Events, mapping, NOW_MS, session, SESSION_ID } from "../../sidecar/pipeline/support.ts";
import type { GateHostOptions } from "./gate_host.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Everything may run, but nothing that deletes. */
export const NO_DELETING = `permit (principal, action, resource);
  forbid (principal, action in [Firma::Action::"filesystem.delete"], resource);`;

/** How a command ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What a Sidecar does with a connection of the gate, its header read. */
export type Serve = (reader: SocketReader) => unknown;

/** A directory to work in, and a Sidecar; both go at the end. */
export class Gated implements AsyncDisposable {
  readonly directory: string;
  readonly events = new Events();
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(directory: string, serve: Serve) {
    this.directory = directory;
    this.#server = createServer((socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}); // the gate has ended
      this.#accept(socket, serve).catch(() => {}); // likewise
    });
  }

  /** With a Sidecar that decides by policies. */
  static async deciding(
    policy = NO_DELETING,
    commands: readonly CommandFile[] = [],
    more: Partial<ExecutionsOptions> = {},
  ): Promise<Gated> {
    const standing = new Standing(mapping(), true);
    standing.apply(bundle(policy), NOW_MS + 30_000);
    standing.revoked = new Set();
    const sessions = new SessionTable();
    sessions.open(session());
    const gated: Gated = await Gated.serving((reader) =>
      new LocalExecutions({
        standing,
        sessions,
        sink: gated.events,
        config: { commands, defaultAction: "allow" },
        now: () => NOW_MS,
        ...more,
      }).serve(SESSION_ID, reader, gated.directory)
    );
    return gated;
  }

  /** With any Sidecar. */
  static async serving(serve: Serve): Promise<Gated> {
    const gated = new Gated(await Deno.makeTempDir({ prefix: "firma-" }), serve);
    await new Promise<void>((resolve) => gated.#server.listen(gated.socket, resolve));
    return gated;
  }

  get socket(): string {
    return join(this.directory, "sidecar.sock");
  }

  async #accept(socket: Socket, serve: Serve): Promise<void> {
    const reader = new SocketReader(socket, undefined, 1024 * 1024);
    const has = async (count: number) => {
      while (reader.buffered.length < count) if (!await reader.fill()) return false;
      return true;
    };
    if (!await has(16)) return;
    const length = reader.buffered.readUInt16BE(14);
    if (!await has(16 + length)) return;
    reader.consume(16 + length);
    await serve(reader);
  }

  /** Runs a command to its end. */
  run(
    command: readonly [string, ...string[]],
    options: Partial<GateHostOptions> = {},
  ): Promise<Ended> {
    return this.#start([], "gate_host.ts", command, options);
  }

  /** The same with shims in the places of governed programs, and without questions of the kernel. */
  runWithShims(
    command: readonly [string, ...string[]],
    options: Partial<GateHostOptions> = {},
  ): Promise<Ended> {
    const readOnly = [
      ...["/usr/bin/bwrap", "--ro-bind", "/", "/", "--dev-bind", "/dev", "/dev"],
      ...["--bind", "/proc", "/proc", "--bind", this.directory, this.directory, "--"],
    ];
    return this.#start(readOnly, "shim_host.ts", command, options);
  }

  async #start(
    front: readonly string[],
    host: string,
    command: readonly [string, ...string[]],
    options: Partial<GateHostOptions>,
  ): Promise<Ended> {
    const all: GateHostOptions = { socket: this.socket, timeoutMs: 60_000, command, ...options };
    const [program, ...args] = [
      ...front,
      ...[Deno.execPath(), "run", "--allow-all", "--quiet", "--config", join(ROOT, "deno.json")],
      ...["--unstable-worker-options", "--unstable-net"],
      ...[join(ROOT, `tests/sandbox/support/${host}`), JSON.stringify(all)],
    ];
    const { code, stdout, stderr } = await new Deno.Command(program!, {
      args,
      cwd: this.directory,
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** A shell command. */
  shell(script: string): Promise<Ended> {
    return this.run(["/bin/sh", "-c", script]);
  }

  /** What was recorded of executions. */
  get executions(): ExecEvent[] {
    return this.events.all.filter((event): event is ExecEvent => event.kind === "exec");
  }

  async write(name: string, text: string): Promise<void> {
    await Deno.writeTextFile(join(this.directory, name), text);
  }

  /** Whether there is such a file. */
  has(name: string): boolean {
    try {
      Deno.lstatSync(join(this.directory, name));
      return true;
    } catch {
      return false;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Deno.remove(this.directory, { recursive: true });
  }
}

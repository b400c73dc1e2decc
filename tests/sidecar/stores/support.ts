import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import type { ProgramOutput } from "../../../src/broker/run_program.ts";
import type { StoreCommand } from "../../../src/broker/store_programs.ts";
import type { ExecEvent } from "../../../src/core/event.ts";
import { ok, type Result } from "../../../src/core/result.ts";
import { SocketReader } from "../../../src/net/socket_reader.ts";
import { BLOCK_HEAD, BLOCK_SIZE } from "../../../src/sandbox/stores/protocol.ts";
import type { CliSecretProvider } from "../../../src/secrets/cli/provider.ts";
import type { StoredValue } from "../../../src/secrets/learnt.ts";
import { SessionSecrets } from "../../../src/secrets/session_secrets.ts";
import { SessionTable } from "../../../src/sidecar/pipeline/session_table.ts";
import { Standing } from "../../../src/sidecar/pipeline/standing.ts";
import {
  type SecretProgramsOptions,
  StubService,
} from "../../../src/sidecar/stores/secret_programs.ts";
import { bundle } from "../../policy/support.ts";
import { Events, mapping, NOW_MS, session, SESSION_ID } from "../pipeline/support.ts";

/** What an agent sees of a command. */
export interface Shown {
  readonly stdout: string;
  readonly stderr: string;
  /** `undefined` where the answer breaks off. */
  readonly status: number | undefined;
}

/** A store as an operator configures it. */
export const PASS: CliSecretProvider = {
  id: "team",
  preset: "pass",
  program: "/usr/bin/pass",
  names: ["**"],
  hosts: [],
  envPassthrough: [],
  timeoutMs: 1_000,
  maxOutput: 65_536,
};

/** A Sidecar's part that answers stubs, with a program that prints what a test says. */
export class Store {
  readonly sink = new Events();
  readonly secrets = new SessionSecrets();
  readonly learnt: StoredValue[] = [];
  readonly ran: StoreCommand[] = [];
  readonly standing = new Standing(mapping(), true);
  readonly sessions = new SessionTable();
  print: (command: StoreCommand) => Promise<Result<ProgramOutput>> = () =>
    Promise.resolve(ok({ code: 0, stdout: "", stderr: "" }));
  readonly #service: StubService;

  constructor(
    policy = "permit (principal, action, resource);",
    more: Partial<SecretProgramsOptions> = {},
  ) {
    this.standing.apply(bundle(policy), NOW_MS + 30_000);
    this.standing.revoked = new Set();
    this.sessions.open(session());
    this.#service = new StubService({
      providers: [PASS],
      run: (command) => {
        this.ran.push(command);
        return this.print(command);
      },
      secretsOf: () => this.secrets,
      learnt: (_, values) => Promise.resolve(void this.learnt.push(...values)),
      standing: this.standing,
      sessions: this.sessions,
      sink: this.sink,
      config: { commands: [], defaultAction: "allow" },
      now: () => NOW_MS,
      ...more,
    });
  }

  /** The events so far. */
  get events(): readonly ExecEvent[] {
    return this.sink.all as unknown as readonly ExecEvent[];
  }

  /** Has the program print. */
  prints(stdout: string, more: Partial<ProgramOutput> = {}): void {
    this.print = () => Promise.resolve(ok({ code: 0, stdout, stderr: "", ...more }));
  }

  /** What a stub shows that was started with these arguments. */
  show(...args: readonly string[]): Promise<Shown> {
    return this.say(["/home/ada", "pass", ...args, ""].join("\0"));
  }

  /** What a stub shows that says this. */
  async say(said: string | Uint8Array, store = "team"): Promise<Shown> {
    const pieces: Buffer[] = [];
    const socket = new Duplex({
      read() {},
      write(bytes, _encoding, done) {
        pieces.push(Buffer.from(bytes));
        done();
      },
    });
    const serving = this.#service.serve(
      SESSION_ID,
      store,
      new SocketReader(socket, undefined, 262_144),
    );
    socket.push(Buffer.from(said));
    socket.push(null);
    await serving;
    return shownIn(Buffer.concat(pieces));
  }
}

function shownIn(answer: Buffer): Shown {
  const texts: Record<number, string> = { 1: "", 2: "" };
  for (let at = 0; at + BLOCK_SIZE <= answer.length; at += BLOCK_SIZE) {
    const descriptor = answer.readUInt32LE(at);
    if (descriptor === 0) {
      return { stdout: texts[1]!, stderr: texts[2]!, status: answer.readUInt32LE(at + 8) };
    }
    const start = at + BLOCK_HEAD;
    texts[descriptor] += answer.toString("utf8", start, start + answer.readUInt32LE(at + 4));
  }
  return { stdout: texts[1]!, stderr: texts[2]!, status: undefined };
}

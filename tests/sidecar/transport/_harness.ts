/** A transport with a scripted gate, and the bridge that the sandbox would put in front of it. */
import { Buffer } from "node:buffer";
import type { AbortReason } from "../../../src/core/decision.ts";
import type { AbortProblem, DenyProblem } from "../../../src/core/problem.ts";
import type {
  CallInput,
  CallOutcome,
  ConnectVerdict,
  Gate,
  Peer,
  Route,
  Verdict,
} from "../../../src/sidecar/gate.ts";
import { startTransport, type Transport } from "../../../src/sidecar/transport/transport.ts";
import type { TransportOptions } from "../../../src/sidecar/transport/transport_options.ts";
import { TestCa } from "../../fixtures/test_ca.ts";
import type { TestUpstream } from "../../fixtures/upstream.ts";

/** Decides as a test says, allows everything else, and remembers what it was told. */
export class ScriptedGate implements Gate {
  readonly calls: CallInput[] = [];
  readonly connects: { readonly peer: Peer; readonly host: string; readonly port: number }[] = [];
  readonly refusals: {
    readonly method?: string;
    readonly resource: string;
    readonly detail: string;
  }[] = [];
  readonly outcomes: (CallOutcome & { readonly eventId: string })[] = [];
  readonly revoke = new AbortController();
  decideWith: (input: CallInput) => Verdict | Promise<Verdict> | undefined = () => undefined;
  connectWith: (host: string, port: number) => ConnectVerdict | undefined = () => undefined;
  routeOf: (host: string, port: number, tls: boolean) => Route;
  #events = 0;

  constructor(routeOf: (host: string, port: number, tls: boolean) => Route) {
    this.routeOf = routeOf;
  }

  connect(peer: Peer, host: string, port: number): ConnectVerdict {
    this.connects.push({ peer, host, port });
    return this.connectWith(host, port) ?? { kind: "terminate" };
  }

  decide(input: CallInput): Verdict | Promise<Verdict> {
    this.calls.push(input);
    return this.decideWith(input) ?? this.allow(input);
  }

  allow(input: CallInput, changes: Partial<Extract<Verdict, { kind: "forward" }>> = {}): Verdict {
    const [host = "", port] = (input.authority ?? input.tunnel?.connectHost ?? "").split(":");
    const tls = input.scheme === "https";
    const [path = "", query] = input.target.split("?");
    const call = {
      method: input.method,
      scheme: input.scheme,
      host,
      port: Number(port ?? (tls ? 443 : 80)),
      path,
      query: query === undefined ? "" : `?${query}`,
    };
    return {
      kind: "forward",
      eventId: `event-${++this.#events}`,
      actionClass: "code.read",
      call,
      route: this.routeOf(host, call.port, tls),
      dropHeaders: [],
      setHeaders: [],
      sessionId: "ses_test",
      signal: this.revoke.signal,
      ...changes,
    };
  }

  deny(): Verdict {
    return { kind: "deny", eventId: `event-${++this.#events}`, problem: denyProblem("no") };
  }

  refuse(_peer: Peer, what: { method?: string; resource: string; detail: string }): DenyProblem {
    this.refusals.push(what);
    return denyProblem(what.detail);
  }

  outcome(eventId: string, outcome: CallOutcome): void {
    this.outcomes.push({ eventId, ...outcome });
  }

  abortProblem(eventId: string, actionClass: string, reason: AbortReason): AbortProblem {
    return {
      type: "about:blank",
      title: "Aborted",
      status: reason === "CONNECTOR_TIMEOUT" ? 504 : 502,
      detail: "the upstream failed",
      aborted: true,
      reason,
      action_class: actionClass,
      event_id: eventId,
    };
  }
}

function denyProblem(detail: string): DenyProblem {
  return {
    type: "about:blank",
    title: "Denied",
    status: 403,
    detail,
    denied: true,
    reason: "PolicyDenied",
    action_class: "code.read",
    event_id: "event",
  };
}

/** What the PROXY header of a connection says. */
export interface HeaderClaim {
  readonly via?: string;
  readonly address?: string;
  readonly port?: number;
  readonly name?: string;
  readonly pid?: string;
  readonly executable?: string;
}

/** The PROXY protocol header as the bridge writes it. */
export function proxyHeader(claim: HeaderClaim = {}): Buffer {
  const { via = "proxy", address = "127.0.0.1", port = 18_080 } = claim;
  const extension = (type: number, value: string | undefined) => {
    if (value === undefined) return Buffer.alloc(0);
    const bytes = Buffer.from(value);
    return Buffer.concat([Buffer.from([type, bytes.length >> 8, bytes.length & 255]), bytes]);
  };
  const extensions = Buffer.concat([
    extension(0x02, claim.name),
    extension(0xe0, claim.pid),
    extension(0xe1, claim.executable),
    extension(0xe2, via),
  ]);
  const addresses = Buffer.alloc(12);
  Buffer.from([127, 0, 0, 1]).copy(addresses);
  Buffer.from(address.split(".").map(Number)).copy(addresses, 4);
  addresses.writeUInt16BE(40_000, 8);
  addresses.writeUInt16BE(port, 10);
  const head = Buffer.from("0d0a0d0a000d0a515549540a21110000", "hex");
  head.writeUInt16BE(addresses.length + extensions.length, 14);
  return Buffer.concat([head, addresses, extensions]);
}

/** A transport with one session. */
export interface Harness extends AsyncDisposable {
  readonly gate: ScriptedGate;
  readonly transport: Transport;
  readonly frontPath: string;
  /** File with the certificate that clients must trust. */
  readonly caFile: string;
  readonly caPem: string;
  /** Port of a TCP listener that forwards to the session's socket, as the sandbox's bridge does. */
  bridge(claim?: HeaderClaim): number;
  /** Runs curl through the proxy, with the CA trusted. */
  curl(
    ...args: string[]
  ): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>;
  /** A bare connection to the session's socket. */
  connect(): Promise<Deno.UnixConn>;
}

/** Starts a transport whose calls to any host arrive at `upstream`. */
export async function startHarness(
  upstream: TestUpstream | undefined,
  options: Partial<TransportOptions> & { readonly http1Upstream?: boolean } = {},
): Promise<Harness> {
  const directory = await Deno.makeTempDir({ prefix: "firma-transport-" });
  const ca = await TestCa.create();
  const caFile = `${directory}/ca.pem`;
  await Deno.writeTextFile(caFile, ca.certificate);
  const gate = new ScriptedGate((host, port, tls) => {
    const secure = options.http1Upstream === true ? upstream?.http1Port : upstream?.tlsPort;
    return {
      host,
      port,
      tls,
      connectAddr: { hostname: "127.0.0.1", port: (tls ? secure : upstream?.plainPort) ?? 1 },
      ...(upstream === undefined ? {} : { caCerts: [upstream.caPem] }),
    };
  });
  const leaf = async (host: string) => {
    const { cert, key } = await ca.issue(host);
    return { certPem: cert, keyPem: key };
  };
  const transport = await startTransport({ gate, leaf, ...options });
  const frontPath = `${directory}/front-0.sock`;
  await transport.openSession("ses_test", frontPath);
  const bridges: Bridge[] = [];
  const bridge = (claim: HeaderClaim = {}) => {
    const opened = new Bridge(frontPath, claim);
    bridges.push(opened);
    return opened.port;
  };
  let proxyPort: number | undefined;
  return {
    gate,
    transport,
    frontPath,
    caFile,
    caPem: ca.certificate,
    bridge,
    async curl(...args) {
      proxyPort ??= bridge();
      const base = ["-sS", "--max-time", "20", "--cacert", caFile, "--suppress-connect-headers"];
      const proxy = ["--proxy", `http://127.0.0.1:${proxyPort}`];
      const output = await new Deno.Command("curl", {
        args: [...base, ...proxy, ...args],
        env: { NO_PROXY: "", no_proxy: "" },
      }).output();
      const text = (bytes: Uint8Array) => Buffer.from(bytes).toString("latin1");
      return { code: output.code, stdout: text(output.stdout), stderr: text(output.stderr) };
    },
    connect: () => Deno.connect({ transport: "unix", path: frontPath }),
    async [Symbol.asyncDispose]() {
      await transport.close();
      for (const opened of bridges) await opened.close();
      await Deno.remove(directory, { recursive: true });
    },
  };
}

/** What stands in the sandbox: TCP in, PROXY header and unix socket out. */
export class Bridge {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #open = new Set<Promise<void>>();
  readonly #conns = new Set<Deno.Conn>();
  readonly #accepting: Promise<void>;

  constructor(readonly path: string, readonly claim: HeaderClaim) {
    this.#accepting = this.#accept();
  }

  get port(): number {
    return (this.#listener.addr as Deno.NetAddr).port;
  }

  async close(): Promise<void> {
    this.#listener.close();
    for (const conn of this.#conns) closeQuietly(conn);
    await this.#accepting;
    await Promise.all(this.#open);
  }

  async #accept(): Promise<void> {
    for await (const conn of this.#listener) {
      conn.setNoDelay(true);
      const carried = this.#carry(conn).catch(() => {}).finally(() => this.#open.delete(carried));
      this.#open.add(carried);
    }
  }

  async #carry(conn: Deno.TcpConn): Promise<void> {
    this.#conns.add(conn);
    let front: Deno.UnixConn | undefined;
    try {
      front = await Deno.connect({ transport: "unix", path: this.path });
      this.#conns.add(front);
      await front.write(proxyHeader(this.claim));
      await Promise.all([copy(conn, front), copy(front, conn)]);
    } finally {
      for (const end of [conn, front]) {
        closeQuietly(end);
        if (end !== undefined) this.#conns.delete(end);
      }
    }
  }
}

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const space = new Uint8Array(65_536);
  for (;;) {
    const count = await from.read(space);
    if (count === null) return await to.closeWrite();
    for (let at = 0; at < count;) at += await to.write(space.subarray(at, count));
  }
}

function closeQuietly(conn: Deno.Conn | undefined): void {
  try {
    conn?.close();
  } catch { /* it was */ }
}

/** Waits until `condition` holds; a test must not sleep for a fixed time. */
export async function eventually(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Gave up waiting: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

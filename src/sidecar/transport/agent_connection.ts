import { Buffer } from "node:buffer";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { Peer, Route, TunnelClaim } from "../gate.ts";
import {
  comparableHost,
  type HostAndPort,
  parseConnectTarget,
} from "../../net/http/uri_authority.ts";
import { parseClientHello, TLS_FIRST_BYTE } from "./client_hello.ts";
import { formatProblem } from "./http1/format_problem.ts";
import type { RequestHead } from "../../net/http1/head.ts";
import { type NoRequest, serveHttp1 } from "../../net/http1/serve.ts";
import { serveHttp2 } from "../../net/http2/serve.ts";
import type { Exchange, FieldList } from "../../net/http/exchange.ts";
import { ConnSocket } from "../../net/conn_socket.ts";
import { linger } from "../../net/linger.ts";
import { formatChallenge, proxyChallenge, type Unidentified } from "./proxy_challenge.ts";
import type { Visitor } from "./proxy_door.ts";
import type { ProxyHeader } from "./proxy_protocol.ts";
import { refuseRequest } from "./refuse.ts";
import { serveExchange } from "./serve_exchange.ts";
import { readControlBelowTls, SocketReader } from "../../net/socket_reader.ts";
import type { Services } from "./services.ts";
import { SSH_PORT, sshRefusal } from "./ssh_refusal.ts";
import type { Tasks } from "../../net/tasks.ts";
import { tunnel } from "./tunnel.ts";

const ESTABLISHED = Buffer.from("HTTP/1.1 200 Connection Established\r\n\r\n");
const TOKEN_CHARACTER = /^[!#$%&'*+\-.^_`|~0-9A-Za-z\r]$/;

/** What a connection turned out to carry. */
type Carried = "tls" | "http" | undefined;

/** One connection of an agent, from behind its PROXY header to its end. */
export class AgentConnection {
  readonly #socket: Duplex;
  readonly #services: Services;
  readonly #tasks: Tasks;
  readonly #reader: SocketReader;
  /** What the bridge says of it; absent where it came in by the door that sessions share. */
  readonly #header: ProxyHeader | undefined;
  /** Why a request on the proxy port is not one of this session. */
  readonly #unidentified: (fields: FieldList) => Unidentified | undefined;
  #peer: Peer;
  /** How to break it off depends on what reads from it: Deno 2.9 minds. */
  #close: () => void;
  #secure: TLSSocket | undefined;

  constructor(
    socket: Duplex,
    sessionId: string,
    services: Services,
    tasks: Tasks,
    from: { readonly header: ProxyHeader } | { readonly visitor: Visitor },
  ) {
    const visitor = "visitor" in from ? from.visitor : undefined;
    this.#socket = socket;
    this.#tasks = tasks;
    // Whoever reads from the socket at the time hears of errors; this keeps them from being fatal.
    socket.on("error", () => {});
    this.#services = services;
    this.#reader = visitor?.reader ??
      new SocketReader(socket, undefined, services.limits.bufferedBytes);
    this.#header = "header" in from ? from.header : undefined;
    const provenance = this.#header?.provenance ?? visitor?.provenance ?? { via: "proxy" };
    this.#peer = { sessionId, provenance };
    this.#close = () => socket.destroy();
    this.#unidentified = visitor?.identify ?? (() => undefined);
  }

  /** Whether the agent has not been handed all that it was answered. */
  get hasUnsent(): boolean {
    if (this.#socket.destroyed) return false;
    const secured = this.#secure !== undefined && this.#secure.writableLength > 0;
    return secured || (this.#socket instanceof ConnSocket && this.#socket.hasUnsent);
  }

  /** Breaks the connection off, with what is being served on it. */
  close(): void {
    this.#close();
  }

  /** Serves the connection. Never rejects. */
  async run(): Promise<void> {
    try {
      await this.#run();
    } catch {
      this.#socket.destroy();
    }
  }

  async #run(): Promise<void> {
    // What it is was seen at the door.
    const header = this.#header;
    if (header === undefined) {
      return await this.#serveHttp1(undefined, (head) => this.#connect(head));
    }
    if (header.store !== undefined) {
      const { secretPrograms } = this.#services;
      return await secretPrograms.serve(this.#peer.sessionId, header.store, this.#reader);
    }
    if (header.provenance.via === "transparent") return await this.#captured(header);
    const carried = await this.#sniff();
    if (carried === "http") {
      await this.#serveHttp1(undefined, (head) => this.#connect(head));
    } else if (carried === "tls") {
      this.#refuse("", "TLS on the proxy port without CONNECT");
    }
  }

  /** A connection that the sandbox's network captured: it does not know of any proxy. */
  async #captured(header: ProxyHeader): Promise<void> {
    const { port } = header;
    const host = header.name ?? header.address;
    if (port === SSH_PORT) return await this.#refuseSsh(host);
    const carried = await this.#sniff(host);
    if (carried === "http") {
      await this.#serveHttp1({ connectHost: host, connectPort: port });
    } else if (carried === "tls") {
      const hello = await this.#clientHello(host);
      if (hello === undefined) return;
      // A literal address says nothing about who answers there; the server name does, and the
      // upstream is found by that name, never by the literal.
      const claimed = header.name ?? hello.serverName ?? header.address;
      await this.#secureTunnel({ host: claimed, port }, hello.serverName, "captured");
    }
  }

  async #connect(head: RequestHead): Promise<void> {
    const { limits, watchdog } = this.#services;
    const why = this.#unidentified(head.fields);
    if (why !== undefined) {
      this.#socket.write(formatChallenge(why));
      return await linger(this.#reader, watchdog);
    }
    const target = parseConnectTarget(head.target);
    const size = head.fields.reduce(
      (sum, [name, value]) => sum + name.length + value.length + 4,
      0,
    );
    if (target === undefined) return await this.#answer(head, "CONNECT target is not host:port");
    if (size + head.target.length > limits.connectHeadBytes) {
      return await this.#answer(head, "CONNECT head is too large");
    }
    if (head.fields.some(([name]) => name === "content-length" || name === "transfer-encoding")) {
      return await this.#answer(head, "CONNECT with a body");
    }
    await this.#secureTunnel(target, undefined, "connect");
  }

  /** Has the target decided, then terminates or tunnels what comes through. */
  async #secureTunnel(
    target: HostAndPort,
    serverName: string | undefined,
    how: "connect" | "captured",
  ): Promise<void> {
    const { host, port } = target;
    const verdict = await this.#services.gate.connect(this.#peer, host, port);
    if (verdict.kind === "deny") {
      if (how === "connect") this.#socket.write(formatProblem(verdict.problem));
      return await linger(this.#reader, this.#services.watchdog);
    }
    if (verdict.kind === "tunnel") {
      const opening = {
        reader: this.#reader,
        eventId: verdict.eventId,
        route: verdict.route,
        signal: verdict.signal,
        answer: how === "connect",
        mayPass: () => this.#mayTunnel(verdict.route),
      };
      return await tunnel(opening, this.#services);
    }
    if (how === "captured") return await this.#terminate(target, serverName);
    this.#socket.write(ESTABLISHED);
    const carried = await this.#sniff(host);
    if (carried === "http") {
      await this.#serveHttp1({ connectHost: host, connectPort: port });
    } else if (carried === "tls") {
      const hello = await this.#clientHello(host);
      if (hello !== undefined) await this.#terminate(target, hello.serverName);
    }
  }

  /** A blind tunnel carries TLS to the host that was decided on, and nothing else. */
  async #mayTunnel(route: Route): Promise<boolean> {
    const carried = await this.#sniff(route.host);
    if (carried === "http") {
      this.#refuse(route.host, "plain HTTP in a tunnel that is not inspected");
    }
    if (carried !== "tls") return false;
    const hello = await this.#clientHello(route.host);
    return hello !== undefined && this.#agrees(route.host, hello.serverName);
  }

  async #terminate(target: HostAndPort, sni: string | undefined): Promise<void> {
    const { services, socket, peer } = {
      services: this.#services,
      socket: this.#socket,
      peer: this.#peer,
    };
    if (!this.#agrees(target.host, sni)) return;
    const host = comparableHost(target.host);
    const identity = await services.terminator.prepare(host).catch(() => undefined);
    if (identity === undefined) {
      return this.#refuse(target.host, "no certificate can be issued for this host");
    }
    const claim: TunnelClaim = {
      connectHost: target.host,
      connectPort: target.port,
      ...(sni === undefined ? {} : { sni }),
    };
    this.#reader.detach();
    services.terminator.terminate(identity, socket, {
      secure: (secure) => this.#serveSecure(secure, claim),
      failed: (error) => {
        if (!socket.destroyed) {
          const resource = `${target.host}:${target.port}`;
          services.gate.refuse(peer, {
            resource,
            detail: `TLS handshake failed: ${error.message}`,
          });
        }
        socket.destroy();
      },
    });
  }

  #serveSecure(secure: TLSSocket, claim: TunnelClaim): void {
    this.#secure = secure;
    if (secure.alpnProtocol === "h2") {
      const close = serveHttp2({ socket: secure, scheme: "https" }, this.#http(claim));
      this.#close = () => {
        close();
        secure.destroy();
      };
      return;
    }
    this.#close = () => secure.destroy();
    const control = readControlBelowTls(this.#socket);
    const reader = new SocketReader(secure, control, this.#services.limits.bufferedBytes);
    const connection = { reader, scheme: "https", form: "origin" } as const;
    this.#tasks.add(serveHttp1(connection, this.#http(claim)));
  }

  #serveHttp1(
    claim: TunnelClaim | undefined,
    onConnect?: (head: RequestHead) => Promise<void>,
  ): Promise<void> {
    const connection = {
      reader: this.#reader,
      scheme: "http",
      form: claim === undefined ? "absolute" : "origin",
      ...(onConnect === undefined ? {} : { onConnect }),
    } as const;
    return serveHttp1(connection, this.#http(claim));
  }

  #http(tunnel: TunnelClaim | undefined) {
    const { gate, watchdog, timeouts, limits } = this.#services;
    const peer = this.#peer;
    const context = { ...this.#services, source: { peer, tunnel } };
    return {
      watchdog,
      timeouts,
      limits,
      tasks: this.#tasks,
      serve: (exchange: Exchange) => {
        const why = tunnel === undefined ? this.#unidentified(exchange.fields) : undefined;
        if (why === undefined) return serveExchange(exchange, context);
        return exchange.respond(proxyChallenge(why)).catch(() => exchange.abort());
      },
      refuse: (exchange: Exchange, detail: string) => refuseRequest(context, exchange, detail),
      refuseHead: ({ method, host, target, detail, status }: NoRequest) => {
        const resource = `${host ?? tunnel?.connectHost ?? ""}${target ?? ""}`;
        const problem = gate.refuse(peer, { ...(method && { method }), resource, detail });
        return formatProblem(status === undefined ? problem : { ...problem, status });
      },
      failed: ({ message }: Error) => {
        const resource = tunnel === undefined ? "" : `${tunnel.connectHost}:${tunnel.connectPort}`;
        gate.refuse(peer, { resource, detail: `HTTP/2: ${message}` });
      },
    };
  }

  async #sniff(resource = ""): Promise<Carried> {
    const reader = this.#reader;
    return await this.#inTime("first byte", async () => {
      while (reader.buffered.length === 0) {
        if (!(await reader.fill())) {
          this.#socket.destroy(); // opened and left: not worth an event
          return undefined;
        }
      }
      const first = reader.buffered[0]!;
      if (first === TLS_FIRST_BYTE) return "tls";
      if (TOKEN_CHARACTER.test(String.fromCharCode(first))) return "http";
      return this.#refuse(resource, "neither TLS nor HTTP");
    });
  }

  async #clientHello(
    resource: string,
  ): Promise<{ readonly serverName: string | undefined } | undefined> {
    const reader = this.#reader;
    return await this.#inTime("ClientHello", async () => {
      for (;;) {
        const reading = parseClientHello(reader.buffered, this.#services.limits.clientHelloBytes);
        if (reading.kind === "hello") return reading;
        if (reading.kind === "bad") return this.#refuse(resource, reading.detail);
        if (!(await reader.fill())) {
          return this.#refuse(resource, "connection ended within its ClientHello");
        }
      }
    });
  }

  #agrees(host: string, serverName: string | undefined): boolean {
    if (serverName === undefined || comparableHost(serverName) === comparableHost(host)) {
      return true;
    }
    this.#refuse(host, `TLS server name "${serverName}" is not the host of the connection`);
    return false;
  }

  /** Runs a step of the opening; an agent that takes too long over it is refused. */
  async #inTime<T>(what: string, step: () => Promise<T | undefined>): Promise<T | undefined> {
    const watch = this.#services.watchdog.watch(this.#services.timeouts.headMs, () => {
      this.#refuse("", `${what} did not come in time`);
    });
    try {
      return await step();
    } finally {
      watch.clear();
    }
  }

  /** Answers a CONNECT that is refused. */
  async #answer(head: RequestHead, detail: string): Promise<void> {
    const { gate, watchdog } = this.#services;
    const problem = gate.refuse(this.#peer, { method: head.method, resource: head.target, detail });
    this.#socket.write(formatProblem(problem));
    await linger(this.#reader, watchdog);
  }

  /** SSH hides what it carries from every policy, so that nothing of it leaves. */
  async #refuseSsh(host: string): Promise<void> {
    const { gate, watchdog } = this.#services;
    const resource = `${host}:${SSH_PORT}`;
    gate.refuse(this.#peer, { resource, detail: "SSH, which no policy can look into" });
    this.#socket.write(
      sshRefusal(
        `firma refused SSH to ${host}; this is a decision of policy and not a fault of the ` +
          "network: use HTTPS, for git as for anything else",
      ),
    );
    await linger(this.#reader, watchdog);
  }

  /** Records a refusal and closes the connection; what it carried has no way to be told. */
  #refuse(resource: string, detail: string): undefined {
    if (this.#socket.destroyed) return;
    this.#services.gate.refuse(this.#peer, { resource, detail });
    this.#socket.destroy();
  }
}

/**
 * Sends the same small GET over keep-alive connections as fast as it is answered, through
 * CONNECT and TLS. Started by `bench_proxy.ts` with a JSON argument; prints a JSON line.
 */
import { Buffer } from "node:buffer";
import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { proxyHeader } from "./proxy_header.ts";

/** What a client is to do. */
export interface Load {
  /** Unix socket of a session, port of an HTTP proxy, or nothing for a direct connection. */
  readonly via: { readonly socket: string } | { readonly port: number } | undefined;
  readonly host: string;
  readonly port: number;
  readonly caPem: string;
  readonly clients: number;
  readonly seconds: number;
}

/** What came of it. */
export interface LoadResult {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function open(load: Load): Promise<TLSSocket> {
  const { via, host, port, caPem: ca } = load;
  const raw: Socket = via === undefined
    ? connectTcp(port, "127.0.0.1")
    : "socket" in via
    ? connectTcp(via.socket)
    : connectTcp(via.port, "127.0.0.1");
  await new Promise<void>((resolve, reject) => {
    raw.once("connect", resolve);
    raw.once("error", reject);
  });
  if (via === undefined || "port" in via) raw.setNoDelay(true);
  if (via !== undefined) {
    if ("socket" in via) raw.write(proxyHeader());
    raw.write(`CONNECT ${host}:${port} HTTP/1.1\r\nHost: ${host}:${port}\r\n\r\n`);
    const answer = await new Promise<Buffer>((resolve, reject) => {
      raw.once("data", resolve);
      raw.once("close", () => reject(new Error("closed instead of answering CONNECT")));
    });
    if (!/^HTTP\/1.. 200 /.test(answer.toString())) throw new Error(answer.toString());
  }
  const secure = connectTls({ socket: raw, servername: host, ca, ALPNProtocols: ["http/1.1"] });
  await new Promise<void>((resolve, reject) => {
    secure.once("secureConnect", resolve);
    secure.once("error", reject);
    secure.once("close", () => reject(new Error("closed within the handshake")));
  });
  return secure;
}

/** Sends requests until `until`; adds the time that each took to `latencies`. */
function drive(socket: TLSSocket, load: Load, until: number, latencies: number[]): Promise<void> {
  const authority = load.port === 443 ? load.host : `${load.host}:${load.port}`;
  const request = Buffer.from(
    `GET /small HTTP/1.1\r\nHost: ${authority}\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n`,
  );
  return new Promise((resolve, reject) => {
    let began = 0;
    let text = "";
    const next = () => {
      began = performance.now();
      if (began < until) socket.write(request);
      else {
        socket.destroy();
        resolve();
      }
    };
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed before it answered")));
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1");
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1]);
      if (text.length < end + 4 + length) return;
      if (!text.startsWith("HTTP/1.1 200 ")) return reject(new Error(text));
      text = "";
      latencies.push(performance.now() - began);
      next();
    });
    next();
  });
}

async function main(load: Load): Promise<LoadResult> {
  const sockets = await Promise.all(Array.from({ length: load.clients }, () => open(load)));
  const latencies: number[] = [];
  const began = performance.now();
  const until = began + load.seconds * 1_000;
  await Promise.all(sockets.map((socket) => drive(socket, load, until, latencies)));
  const seconds = (performance.now() - began) / 1_000;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor(latencies.length * share)] ?? NaN;
  const requests = latencies.length;
  return { requests, requestsPerSecond: requests / seconds, p50Ms: at(0.5), p99Ms: at(0.99) };
}

if (import.meta.main) {
  console.log(JSON.stringify(await main(JSON.parse(Deno.args[0]!))));
  Deno.exit(0);
}

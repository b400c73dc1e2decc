/**
 * The proxy end to end: CONNECT, TLS and small requests over kept-alive connections, at 1 and at
 * 16 clients, interleaved with mitmproxy, with squid and with a direct connection; then bodies of
 * 1 GiB both ways. Needs dist/firma, openssl, curl, mitmdump and squid with security_file_certgen.
 * Every figure is also printed as a ratio, because only ratios compare between machines. Run:
 * `scripts/bench proxy`, or `deno run -A scripts/bench_proxy.ts [--rounds N] [--seconds N]
 * [--no-transfers] [--only transport1,transport2,sidecar1,sidecar2,squid,mitmproxy]` (the digit is
 * the HTTP version towards the upstream).
 */
import { parseArgs } from "node:util";
import { makeCertificates } from "./bench_proxy/certificates.ts";
import type { Load, LoadResult } from "./bench_proxy/load_client.ts";
import {
  cpuOf,
  freePort,
  memoryOf,
  scriptCommand,
  startScript,
  stopAll,
} from "./bench_proxy/processes.ts";
import { bareTransport, mitmproxy, sidecar, squid, type Subject } from "./bench_proxy/subjects.ts";
import { measureTransfers } from "./bench_proxy/transfers.ts";

/** A name that every subject resolves to this machine by itself. */
const HOST = "localhost";
const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "3" },
    only: { type: "string", default: "" },
    "no-transfers": { type: "boolean", default: false },
  },
});

async function load(
  { name, via, port, caPem }: Subject,
  clients: number,
  seconds: number,
): Promise<LoadResult> {
  const options: Load = { via, host: HOST, port, caPem, clients, seconds };
  const [program, ...args] = scriptCommand("load_client.ts", options);
  const { code, stdout } = await new Deno.Command(program, { args, stderr: "inherit" }).output();
  if (code !== 0) throw new Error(`the load client failed with ${name}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}

interface Row {
  readonly name: string;
  readonly many: number;
  readonly manyP99: number;
  /** CPU time of the proxy for a request, in microseconds; steadier than speed on a busy machine. */
  readonly cpu: number;
  readonly oneP50: number;
  readonly memory: number;
}

async function measure(subjects: readonly Subject[]): Promise<Row[]> {
  const rounds = Number(values.rounds);
  const seconds = Number(values.seconds);
  const many = subjects.map((): LoadResult[] => []);
  const one = subjects.map((): LoadResult[] => []);
  const cpu = subjects.map(() => 0);
  for (const subject of subjects) await load(subject, 16, seconds); // warm up
  for (let round = 0; round < rounds; round++) {
    for (const [i, subject] of subjects.entries()) {
      const before = subject.pid === undefined ? 0 : cpuOf(subject.pid);
      many[i]!.push(await load(subject, 16, seconds));
      cpu[i]! += subject.pid === undefined ? 0 : cpuOf(subject.pid) - before;
      one[i]!.push(await load(subject, 1, Math.max(1, seconds / 2)));
    }
  }
  return subjects.map(({ name, pid }, i) => ({
    name,
    many: median(many[i]!.map(({ requestsPerSecond }) => requestsPerSecond)),
    manyP99: median(many[i]!.map(({ p99Ms }) => p99Ms)),
    cpu: cpu[i]! * 1_000 / many[i]!.reduce((sum, { requests }) => sum + requests, 0),
    oneP50: median(one[i]!.map(({ p50Ms }) => p50Ms)),
    memory: pid === undefined ? 0 : memoryOf(pid, "VmRSS"),
  }));
}

function print(rows: readonly Row[]): void {
  const named = (part: string) => rows.find(({ name }) => name.includes(part));
  const ratio = (row: Row, peer: string) =>
    ((named(peer)?.many ?? NaN) ** -1 * row.many).toFixed(2);
  const direct = named("direct")!.oneP50;
  console.log(
    "way".padEnd(36) + "16 clients/s".padStart(13) + "p99 ms".padStart(8) + "x mitm".padStart(8) +
      "x squid".padStart(9) + "CPU µs".padStart(8) + "1 client p50 ms".padStart(17) +
      "added".padStart(8) +
      "RSS MB".padStart(8),
  );
  for (const row of rows) {
    const { name, many, manyP99, cpu, oneP50, memory } = row;
    console.log(
      name.padEnd(36) + many.toFixed(0).padStart(13) + manyP99.toFixed(1).padStart(8) +
        ratio(row, "mitmproxy").padStart(8) + ratio(row, "squid").padStart(9) +
        cpu.toFixed(0).padStart(8) + oneP50.toFixed(3).padStart(17) +
        (oneP50 - direct).toFixed(3).padStart(8) + memory.toFixed(0).padStart(8),
    );
  }
}

async function main(): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "firma-bench-" });
  try {
    const certificates = await makeCertificates(directory, HOST);
    const { cert, key, caPem } = certificates;
    const scene = { directory, host: HOST, port: freePort(), http2Port: freePort(), certificates };
    await startScript("fast_upstream.ts", { cert, key, ...scene });
    const direct: Subject = {
      name: "direct",
      via: undefined,
      port: scene.port,
      caPem,
      pid: undefined,
    };
    const makers: [name: string, make: () => Promise<Subject>][] = [
      ["transport1", () => bareTransport(scene, "HTTP/1.1")],
      ["transport2", () => bareTransport(scene, "HTTP/2")],
      ["sidecar1", () => sidecar(scene, "HTTP/1.1")],
      ["sidecar2", () => sidecar(scene, "HTTP/2")],
      ["squid", () => squid(scene)],
      ["mitmproxy", () => mitmproxy(scene)],
    ];
    const subjects = [direct];
    for (const [name, make] of makers) {
      if (values.only === "" || values.only.split(",").includes(name)) subjects.push(await make());
    }
    print(await measure(subjects));
    if (!values["no-transfers"]) {
      const whole = subjects.filter(({ name }) => name.includes("Sidecar"));
      await measureTransfers(whole, scene);
    }
  } finally {
    await stopAll();
    await Deno.remove(directory, { recursive: true });
  }
}

await main();

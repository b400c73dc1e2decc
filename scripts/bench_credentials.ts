/**
 * What a cached hand-out adds to a call, from the verdict to the request that goes out, and what
 * asking the broker's process costs. Run: `deno run -A scripts/bench_credentials.ts [calls]`.
 */
import type { CredentialNeed, Issued } from "../src/broker/hand_out.ts";
import type { CredentialConfig } from "../src/config/keys/credentials/credential.ts";
import { editionOf } from "../src/config/keys/credentials/edition.ts";
import { selfCommand } from "../src/config/self_command.ts";
import { ok, unwrap } from "../src/core/result.ts";
import { BrokeredCredentials } from "../src/sidecar/credentials/brokered.ts";
import { HandOuts } from "../src/sidecar/credentials/hand_outs.ts";
import { BrokerProcess } from "../src/sidecar/credentials/keeper/broker_process.ts";
import type { ForwardVerdict } from "../src/sidecar/gate.ts";
import type { OutgoingRequest } from "../src/sidecar/transport/upstream.ts";

const COUNT = Number(Deno.args[0] ?? 100_000);
const HOST = "api.bench.test";

const CREDENTIAL: CredentialConfig = {
  label: "bench",
  hosts: [{ host: HOST, port: 443 }],
  paths: [],
  actionClasses: [],
  agentVariables: [],
  placeholder: undefined,
  form: { header: "authorization", prefix: "Bearer ", basicUser: undefined },
  refreshMs: 60_000,
  timeoutMs: 10_000,
  source: { kind: "environment", settings: { variable: "BENCH_KEY" } },
};

const need: CredentialNeed = {
  label: "bench",
  edition: editionOf(CREDENTIAL),
  host: HOST,
  port: 443,
  actionClass: "code.read",
  resource: "acme/api",
  sessionId: "ses_bench",
  agentId: "agt_bench",
};
const issued: Issued = {
  label: "bench",
  headers: [["authorization", "Bearer a-secret-of-the-bench"]],
  secrets: ["a-secret-of-the-bench"],
  provider: "file",
  scope: "",
  usableUntilMs: Infinity,
};
const request: OutgoingRequest = {
  method: "GET",
  scheme: "https",
  authority: HOST,
  target: "/repos/acme/api",
  fields: Array.from({ length: 12 }, (_, at) => [`x-header-${at}`, "a value of a header"]),
  spellings: undefined,
  takesTrailers: false,
  webSocket: false,
  body: undefined,
};
const signal = new AbortController().signal;

function verdict(eventId: string): ForwardVerdict {
  const call = { method: "GET", scheme: "https", host: HOST, port: 443 } as const;
  return {
    kind: "forward",
    eventId,
    actionClass: need.actionClass,
    call: { ...call, path: "/repos/acme/api", query: "" },
    route: { host: HOST, port: 443, tls: true },
    dropHeaders: [],
    setHeaders: [],
    sessionId: need.sessionId,
    need,
    signal,
  };
}

function percentiles(times: number[], unit: string): string {
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!.toFixed(2);
  return `p50 ${at(0.5)} ${unit}, p99 ${at(0.99)} ${unit}`;
}

async function cached(): Promise<void> {
  const handOuts = new HandOuts({
    ask: () => Promise.resolve(ok(issued)),
    capture: () => Promise.resolve(ok(undefined)),
    refused: () => {},
  });
  const credentials = new BrokeredCredentials(handOuts);
  await credentials.outgoing(request, verdict("first"));
  const times: number[] = [];
  for (let at = 0; at < COUNT; at++) {
    const call = verdict(`aevt_${at}`);
    const started = performance.now();
    credentials.outgoing(request, call);
    credentials.ended(call);
    times.push((performance.now() - started) * 1_000);
  }
  console.log(`a cached hand-out adds        ${percentiles(times, "µs")}`);
}

async function asked(): Promise<void> {
  const env: Record<string, string> = { BENCH_KEY: "a-secret-of-the-bench" };
  for (const name of ["HOME", "PATH", "DENO_DIR"]) env[name] = Deno.env.get(name) ?? "";
  const broker = new BrokerProcess({
    start: {
      command: [...selfCommand(), "__broker"],
      env,
      credentials: [CREDENTIAL],
      stores: [],
    },
    identify: () => Promise.reject(new Error("no provider of the bench asks for it")),
    ended: () => {},
    recovered: () => {},
  });
  const started = performance.now();
  unwrap(await broker.ask(need));
  console.log(`the first one, broker started ${(performance.now() - started).toFixed(0)} ms`);
  const times: number[] = [];
  for (let at = 0; at < 1_000; at++) {
    const before = performance.now();
    unwrap(await broker.ask(need));
    times.push(performance.now() - before);
  }
  console.log(`asking the broker's process   ${percentiles(times, "ms")}`);
  await broker.close();
}

await cached();
await asked();

/**
 * How long classifying one call takes with all packs loaded.
 *
 *   deno run -A scripts/bench_mapping.ts
 */
import { normaliseCall, type RawCall } from "../src/mapping/call.ts";
import { MappingTable } from "../src/mapping/table.ts";
import { unwrap } from "../src/core/result.ts";

const ROUNDS = 2000;
/** Calls timed together, so that the clock does not measure itself. */
const BATCH = 20;

const packs = new URL("../packs/mappings/", import.meta.url);
const files = [...Deno.readDirSync(packs)].map(({ name }) => ({
  file: `mappings/${name}`,
  text: Deno.readTextFileSync(new URL(name, packs)),
}));

const loadStart = performance.now();
const parsed = MappingTable.parse(files);
const loadTime = performance.now() - loadStart;
if (!parsed.ok) throw new Error(parsed.error.map((error) => error.message).join("\n"));
const table = parsed.value;

function raw(method: string, authority: string, target: string): RawCall {
  return { method, scheme: "https", authority, target };
}

const npm = table.hosts.find((host) => host.startsWith("registry."))!;

const CALLS: readonly (readonly [string, RawCall])[] = [
  ["npm metadata", raw("GET", npm, "/@types%2fnode")],
  ["npm tarball", raw("GET", npm, "/hono/-/hono-4.13.19.tgz")],
  ["git refs", raw("GET", "github.com", "/acme/tool.git/info/refs?service=git-upload-pack")],
  ["GitHub, 3 segments", raw("GET", "api.github.com", "/repos/acme/tool")],
  ["GitHub, 8 segments", raw("PUT", "api.github.com", "/repos/acme/tool/contents/src/a/b/c.ts")],
  [
    "GitHub, deep",
    raw("DELETE", "api.github.com", "/repos/a/b/branches/x/y/protection/restrictions/users"),
  ],
  ["inference", raw("POST", "api.anthropic.com", "/v1/messages?beta=true")],
  ["Stripe", raw("POST", "api.stripe.com", "/v1/payment_intents/pi_1/confirm")],
  ["not mapped", raw("GET", "api.github.com", "/repositories/1/issues?page=2")],
  ["unknown host", raw("GET", "www.example.test", "/a/b/c?x=1")],
];

function percentile(sorted: readonly number[], share: number): string {
  return sorted[Math.floor(sorted.length * share)]!.toFixed(2).padStart(7);
}

function measure(run: () => void): number[] {
  for (let i = 0; i < 5000; i++) run();
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    for (let i = 0; i < BATCH; i++) run();
    times.push((performance.now() - start) * 1000 / BATCH);
  }
  return times.sort((a, b) => a - b);
}

console.log(`${files.length} packs, ${table.size} rules, loaded in ${loadTime.toFixed(0)} ms`);
console.log(`${"µs per call".padEnd(22)}  match p50    p99   normalise + match p50    p99`);
const all: number[] = [];
for (const [name, call] of CALLS) {
  const canonical = unwrap(normaliseCall(call));
  const match = measure(() => table.match(canonical));
  const both = measure(() => table.match(unwrap(normaliseCall(call))));
  all.push(...both);
  console.log(
    `${name.padEnd(22)}   ${percentile(match, 0.5)} ${percentile(match, 0.99)}                 ` +
      `${percentile(both, 0.5)} ${percentile(both, 0.99)}`,
  );
}
all.sort((a, b) => a - b);
console.log(`all, normalise + match: p50 ${percentile(all, 0.5)}, p99 ${percentile(all, 0.99)}`);

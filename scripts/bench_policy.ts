/**
 * What many policies cost: stage 2 (Cedar) with 100 and 1,000 of them and without
 * memo, and how long everything that ships takes to be validated and loaded.
 *
 *   deno run -A scripts/bench_policy.ts
 */
import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/web";
import process from "node:process";
import { packNames, readPack } from "../src/config/packs.ts";
import { ACTION_CLASSES, type ActionClass } from "../src/core/action_class.ts";
import type { ExecutionEnvelope } from "../src/core/envelope.ts";
import type { PolicyBundle } from "../src/core/policy_bundle.ts";
import { type Result, unwrap } from "../src/core/result.ts";
import { MappingTable } from "../src/mapping/table.ts";
import { cedarModule, initCedar } from "../src/policy/cedar_module.ts";
import { checkBundle } from "../src/policy/check.ts";
import { PolicyEngine } from "../src/policy/engine.ts";
import { schemaText } from "../src/policy/schema.ts";

const CALLS = 10_000;
/** As many as V8 needs, with the budget of the executable, to make native code of Cedar. */
const WARM_UP = 60_000;

function orThrow<T>(result: Result<T, unknown>): T {
  if (result.ok) return result.value;
  throw new Error(JSON.stringify(result.error));
}

function bundle(policies: PolicyBundle["policies"]): PolicyBundle {
  return {
    revision: 1,
    version: "0123456789abcdef",
    policies,
    schema: schemaText(),
    ttlSeconds: 30,
  };
}

/** Milliseconds: by the clock, and of processor time, which a busy machine stretches less. */
interface Cost {
  readonly clock: number;
  readonly processor: number;
}

function timed(run: () => void): Cost {
  const cpu = process.cpuUsage();
  const start = performance.now();
  run();
  const clock = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  return { clock, processor: (user + system) / 1000 };
}

/** Validates and loads every mapping, and every posture as one bundle. */
function loadAll(): { readonly mappings: Cost; readonly postures: Cost } {
  const read = (kind: "mapping" | "posture", extension: string) =>
    packNames(kind).map((name) => ({
      file: name + extension,
      text: unwrap(readPack(kind, name)),
    }));
  const files = read("mapping", ".toml");
  const policies = bundle(read("posture", ".cedar"));
  return {
    mappings: timed(() => orThrow(MappingTable.parse(files))),
    postures: timed(() => {
      orThrow(checkBundle(policies));
      orThrow(PolicyEngine.create(policies));
    }),
  };
}

/** The posture "dev", and rules of an operator on every class in turn, until there are `count`. */
function policies(count: number): string {
  const dev = unwrap(readPack("posture", "dev"));
  const rules: string[] = [];
  for (let i = 0; i < count - 16; i++) {
    const { name } = ACTION_CLASSES[i % ACTION_CLASSES.length]!;
    rules.push(`@id("operator.${i}")
forbid (principal, action in [Firma::Action::"${name}"], resource)
when {
  resource has path && resource.path like "/repos/acme/secret-${i}/*" && context.action_count > 10
};`);
  }
  return `${dev}\n${rules.join("\n")}\n`;
}

const CLASSES = ["code.read", "code.write", "system.install", "model.inference"] as ActionClass[];

function envelope(number: number): ExecutionEnvelope {
  const path = `/repos/acme/tool/contents/${number}`;
  return {
    intent: {
      action_class: CLASSES[Math.abs(number) % CLASSES.length]!,
      resource: { id: `api.code.test${path}`, host: "api.code.test", path, method: "GET" },
      raw_transport: "https",
      raw_action_ref: "bench.toml:1",
      attributes: {},
    },
    capability: { token_id: "ctok_bench", agent_id: "agt_bench" },
    metadata: {
      session_id: "ses_bench",
      timestamp_ms: 1_800_000_000_000,
      session_started_ms: 1_799_999_000_000,
      action_count: Math.abs(number),
      deny_count: 0,
      prior_action_classes: ["code.read"],
      last_resource: "",
    },
    provenance: { via: "proxy" },
  };
}

function measure(name: string, run: (number: number) => void): void {
  for (let i = 0; i < WARM_UP; i++) run(-1 - i);
  const times = new Float64Array(CALLS);
  for (let i = 0; i < CALLS; i++) {
    const start = performance.now();
    run(i);
    times[i] = performance.now() - start;
  }
  times.sort();
  const at = (share: number) => (times[Math.floor(CALLS * share)]! * 1000).toFixed(1).padStart(9);
  console.log(`${name.padEnd(40)}${at(0.1)}${at(0.5)}${at(0.99)}`);
}

initCedar(await cedarModule());
const loads = Array.from({ length: 20 }, loadAll);
function printLoad(name: string, cost: (kind: "clock" | "processor") => [number, number]): void {
  const words = (["clock", "processor"] as const).map((kind) => {
    const [mappings, postures] = cost(kind).map(Math.round);
    return `${kind} ${mappings! + postures!} ms (mappings ${mappings}, postures ${postures})`;
  });
  console.log(`all packs and postures, ${name}: ${words.join(", ")}`);
}
const best = (part: "mappings" | "postures", kind: "clock" | "processor") =>
  Math.min(...loads.map((load) => load[part][kind]));
printLoad("first", (kind) => [loads[0]!.mappings[kind], loads[0]!.postures[kind]]);
printLoad("best", (kind) => [best("mappings", kind), best("postures", kind)]);
console.log("bar: 150 ms\n");

console.log(`${"µs a call, no memo".padEnd(40)}      p10      p50      p99`);
preparsePolicySet("floor", { staticPolicies: { a: "permit (principal, action, resource);" } });
const uid = { type: "A", id: "" };
measure("Cedar alone, one policy, no context", () => {
  statefulIsAuthorized({
    principal: uid,
    action: { type: "Action", id: "" },
    resource: uid,
    context: {},
    preparsedPolicySetId: "floor",
    entities: [],
    validateRequest: false,
  });
});
for (const count of [16, 100, 1000]) {
  const text = policies(count);
  const engine = orThrow(
    PolicyEngine.create(bundle([{ file: "a.cedar", text }]), { memoCapacity: 0 }),
  );
  measure(`stage 2, ${engine.policyIds.length} policies`, (number) => {
    if (engine.decide(envelope(number)).decision !== "allow") throw new Error("denied");
  });
}
console.log("bar: 100 policies p50 60");

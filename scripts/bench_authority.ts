/**
 * Measures the Authority: `firma authority` in a process of its own, clients in up to eight others.
 *
 * Tokens a second; the memory that 1,000 idle streams take; how long a saved policy and a
 * revocation take to reach 200 clients; and how long after a revocation a Sidecar denies the first
 * call. First with files, then with a PostgreSQL of its own, where
 * the policy is saved at another Authority than the clients have.
 */
import { join } from "node:path";
import { newId } from "../src/core/id.ts";
import { startPostgres } from "../tests/fixtures/postgres_server.ts";
import { firstDenials } from "./bench_authority/first_denial.ts";
import { percentile, type Report, start, type Store } from "./bench_authority/processes.ts";

const PROCESSES = 8;
const CLIENTS = 200;
const IDLE_STREAMS = 1_000;
const ROUNDS = 5;
const PERMIT = '@id("permit") permit (principal, action, resource);\n';

type Authority = Awaited<ReturnType<typeof start>>;

console.log("with files");
await measure(undefined);
console.log("with PostgreSQL, and a second Authority");
const postgres = await startPostgres({ settings: { fsync: "on" } });
try {
  await measure(postgres.url());
} finally {
  await postgres.close();
}

async function measure(store: Store): Promise<void> {
  const authority = await start(store);
  try {
    await idle(authority);
    await propagation(authority);
    await denial(authority);
    await issuance(authority);
  } finally {
    await authority.stop();
  }
}

async function issuance(authority: Authority): Promise<void> {
  const before = authority.cpuSeconds();
  const reports = await authority.clients(1, { job: "issue", clients: 8, seconds: 5 });
  const { count, seconds } = (await reports.finished())[0]!;
  const cpu = authority.cpuSeconds() - before;
  say("tokens a second", count! / seconds!);
  say("tokens a second of the Authority's CPU", count! / cpu);
}

async function idle(authority: Authority): Promise<void> {
  const before = authority.memoryMb();
  const each = IDLE_STREAMS / 2 / PROCESSES;
  const running = await authority.clients(PROCESSES, { job: "idle", clients: each });
  await running.ready();
  say("memory with no stream (MB)", before);
  say(`memory with ${IDLE_STREAMS} idle streams (MB)`, authority.memoryMb());
  await running.stop();
}

async function propagation(authority: Authority): Promise<void> {
  const each = CLIENTS / PROCESSES;
  const running = await authority.clients(PROCESSES, { job: "listen", clients: each });
  await running.ready();
  const policy: number[] = [];
  const revocation: number[] = [];
  const before = authority.cpuSeconds();
  for (let round = 0; round < ROUNDS; round++) {
    const marker = `round-${round}`;
    policy.push(
      ...await reach(
        running,
        marker,
        () =>
          Deno.writeTextFile(
            join(authority.project, ".firma/policies/dev.cedar"),
            policyText(marker),
          ),
      ),
    );
    const tokenId = newId("ctok");
    revocation.push(...await reach(running, tokenId, () => authority.revoke(tokenId)));
  }
  const cpu = authority.cpuSeconds() - before;
  await running.stop();
  say("the Authority's CPU for a policy and a revocation (ms)", (cpu * 1_000) / ROUNDS);
  for (const [name, times] of Object.entries({ policy, revocation })) {
    if (times.length !== CLIENTS * ROUNDS) throw new Error(`Only ${times.length} of ${name}`);
    say(`${name} to ${CLIENTS} clients, p50 (ms)`, percentile(times, 50));
    say(`${name} to ${CLIENTS} clients, p99 (ms)`, percentile(times, 99));
  }
}

async function denial(authority: Authority): Promise<void> {
  const times = await firstDenials(authority);
  say("revocation to the first denial of a call, p50 (ms)", percentile(times, 50));
  say("revocation to the first denial of a call, p99 (ms)", percentile(times, 99));
}

function policyText(marker: string): string {
  return `${PERMIT}// ${marker}\n`;
}

/** How long after `act` each client heard of `marker`. */
async function reach(
  running: { heard(marker: string): Promise<readonly Report[]> },
  marker: string,
  act: () => Promise<void>,
): Promise<number[]> {
  const heard = running.heard(marker);
  const from = Date.now();
  await act();
  return (await heard).flatMap(({ times }) => times!.map((at) => at - from));
}

function say(what: string, value: number): void {
  console.log(`  ${what.padEnd(58)} ${value.toFixed(value < 10 ? 1 : 0)}`);
}

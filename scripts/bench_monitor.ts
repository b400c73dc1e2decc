/**
 * What the live screen costs while a log grows by 10,000 events a second: memory, CPU, pictures,
 * and how long after it was written the last event is on the screen, and a key is obeyed.
 */
import { fileURLToPath } from "node:url";
import type { DecisionEvent } from "../src/core/event.ts";
import { newId } from "../src/core/id.ts";
import { decision } from "./bench_audit/event.ts";

const FIRMA = fileURLToPath(new URL("../dist/firma", import.meta.url));
const EVENTS_A_SECOND = 10_000;
const SECONDS = 20;
const TICK_MS = 20;
/** Decisions that are in the log before anybody looks. */
const PAST = 200_000;

const AGENTS = Array.from({ length: 8 }, () => newId("agt"));
const CLASSES = ["code.read", "model.inference", "system.install", "issue.read", "code.write"];

let seq = 0;

/** A line of the log; its number is in the resource. */
function line(): string {
  seq++;
  const event: DecisionEvent = {
    ...decision(seq),
    agent_id: AGENTS[seq % AGENTS.length]!,
    action_class: CLASSES[seq % CLASSES.length]!,
    resource: `api.github.invalid/repos/firma/firma/contents/src/file-${seq}.ts`,
    ...seq % 97 === 0 && { decision: "DENY", deny_reason: "PolicyDenied", policy_ids: [] },
  };
  return `${JSON.stringify({ ...event, seq, prev: "0".repeat(64), signature: "A".repeat(88) })}\n`;
}

function append(file: Deno.FsFile, count: number): void {
  const bytes = new TextEncoder().encode(Array.from({ length: count }, line).join(""));
  for (let at = 0; at < bytes.length;) at += file.writeSync(bytes.subarray(at));
}

/** The pid of the monitor below `script`. */
async function monitorPid(scriptPid: number): Promise<number> {
  for (;;) {
    const children = await Deno.readTextFile(`/proc/${scriptPid}/task/${scriptPid}/children`);
    const pid = Number(children.trim().split(" ")[0]);
    if (pid > 0) return pid;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function usage(pid: number): Promise<{ rssMb: number; peakMb: number; cpuMs: number }> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const megabytes = (name: string) =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)![1]) / 1024);
  const fields = (await Deno.readTextFile(`/proc/${pid}/stat`)).split(") ")[1]!.split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { rssMb: megabytes("VmRSS"), peakMb: megabytes("VmHWM"), cpuMs: ticks * 10 };
}

const directory = await Deno.makeTempDir({ prefix: "firma-bench-monitor-" });
const path = `${directory}/audit.jsonl`;
using file = Deno.openSync(path, { create: true, append: true });
for (let done = 0; done < PAST; done += 5_000) append(file, 5_000);

const started = performance.now();
const child = new Deno.Command("script", {
  args: [
    "--quiet",
    "--return",
    "--command",
    `stty rows 50 columns 160; exec ${FIRMA} monitor --file ${path}`,
    "/dev/null",
  ],
  env: { TERM: "xterm-256color", FIRMA_STATE_DIR: `${directory}/state` },
  stdin: "piped",
  stdout: "piped",
}).spawn();
let screen = "";
let pictures = 0;
const reading = (async () => {
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    pictures += text.split("\x1b[?2026h").length - 1;
    screen = (screen + text).slice(-200_000);
  }
})();
const keyboard = child.stdin.getWriter();
const type = (text: string) => keyboard.write(new TextEncoder().encode(text));

async function until(text: string): Promise<number> {
  const from = performance.now();
  while (!screen.includes(text)) await new Promise((resolve) => setTimeout(resolve, 1));
  return Math.round(performance.now() - from);
}

await until(`file-${seq}.ts`);
console.log(
  `first picture over ${PAST} past decisions: ${Math.round(performance.now() - started)} ms`,
);

const pid = await monitorPid(child.pid);
const before = await usage(pid);
const picturesBefore = pictures;
const start = performance.now();
const first = seq;
const keyMs: number[] = [];
while (performance.now() - start < SECONDS * 1_000) {
  const due = first + Math.floor((performance.now() - start) / 1_000 * EVENTS_A_SECOND);
  if (due > seq) append(file, due - seq);
  await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  if ((keyMs.length + 1) * 2_000 < performance.now() - start) {
    screen = "";
    await type("?");
    keyMs.push(await until("any key closes this"));
    await type("x");
  }
}
const seconds = (performance.now() - start) / 1_000;
const drawn = pictures - picturesBefore;
const lag = await until(`file-${seq}.ts`);
const after = await usage(pid);
console.log(`events: ${seq - first} in ${seconds.toFixed(1)} s`);
console.log(`pictures: ${(drawn / seconds).toFixed(1)} a second`);
console.log(`CPU: ${Math.round((after.cpuMs - before.cpuMs) / seconds / 10)} % of one core`);
console.log(
  `memory: ${before.rssMb} MB before, ${after.rssMb} MB after, ${after.peakMb} MB at most`,
);
console.log(`last event on the screen after: ${lag} ms`);
console.log(`key obeyed after: ${Math.max(...keyMs)} ms at most of ${keyMs.length}`);
await type("q");
await child.status;
await reading;
await Deno.remove(directory, { recursive: true });

/** Child processes of the bench, and what the kernel says of them. */
import { fileURLToPath } from "node:url";

/** What the kernel counts CPU time in, on every Linux that Deno runs on. */
const TICKS_PER_SECOND = 100;

const running: Deno.ChildProcess[] = [];

/** Starts a program that says `ready` (or anything) on a line, or does not (`"silent"`). */
export async function start(
  command: readonly [string, ...string[]],
  how: "ready" | "silent" = "ready",
  env: Record<string, string> = {},
  order?: unknown,
): Promise<number> {
  const [program, ...args] = command;
  const child = new Deno.Command(program, {
    args,
    env,
    stdin: "piped",
    stdout: how === "ready" ? "piped" : "null",
    stderr: how === "ready" ? "inherit" : "null",
  }).spawn();
  running.push(child);
  if (order !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${JSON.stringify(order)}\n`));
    writer.releaseLock();
  }
  if (how === "ready") {
    const reader = child.stdout.getReader();
    const { done } = await reader.read();
    if (done) throw new Error(`${command.join(" ").slice(0, 200)}: ended before it was ready`);
    void (async () => {
      while (!(await reader.read()).done);
    })();
  }
  return child.pid;
}

/** Starts a script beside this file with a JSON argument. */
export function startScript(name: string, options: unknown): Promise<number> {
  return start(scriptCommand(name, options));
}

/** The words that run a script beside this file. */
export function scriptCommand(name: string, options: unknown): [string, ...string[]] {
  const flags = ["run", "-A", "--quiet", "--no-prompt", "--unstable-net", "--frozen"];
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  const script = fileURLToPath(new URL(name, import.meta.url));
  return [Deno.execPath(), ...flags, "--config", config, script, JSON.stringify(options)];
}

/** Ends every process that {@linkcode start} started. */
export async function stopAll(): Promise<void> {
  for (const child of running) {
    try {
      child.kill("SIGTERM");
    } catch { /* it ended by itself */ }
  }
  await Promise.all(running.map((child) => child.status));
}

/** Resolves when something listens on a port of this machine. */
export async function listening(port: number): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A port that nobody listens on. */
export function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** Memory of a process and its children in megabytes: now, or the most there ever was. */
export function memoryOf(pid: number, what: "VmRSS" | "VmHWM"): number {
  let total = 0;
  for (const id of [pid, ...childrenOf(pid)]) {
    const status = Deno.readTextFileSync(`/proc/${id}/status`);
    total += Number(new RegExp(`${what}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) / 1_024;
  }
  return total;
}

/** CPU time that a process and its children have used, in milliseconds. */
export function cpuOf(pid: number): number {
  let ticks = 0;
  for (const id of [pid, ...childrenOf(pid)]) {
    const fields = statOf(id);
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 1_000 / TICKS_PER_SECOND;
}

/** What `/proc/PID/stat` says after the name of the program (proc(5)). */
function statOf(pid: number | string): string[] {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function childrenOf(pid: number): number[] {
  const children: number[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      if (Number(statOf(name)[1]) === pid) {
        children.push(Number(name), ...childrenOf(Number(name)));
      }
    } catch { /* it ended meanwhile */ }
  }
  return children;
}

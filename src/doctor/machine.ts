import { lookup } from "node:dns/promises";
import { statfs } from "node:fs/promises";
import { userId } from "../config/user_id.ts";
import { findProgram } from "../sandbox/find_program.ts";
import { probeLimits } from "../sandbox/limits/hold.ts";
import { preflight } from "../sandbox/preflight/preflight.ts";
import { readProject } from "./project.ts";
import type { Answer, Endpoint, World } from "./world.ts";

/** More than any setting of a system, and little enough to read at once. */
const LARGEST_SETTING = 64 * 1024;
/** How long a program may take to say what it is, in milliseconds. */
const PROGRAM_MS = 5_000;

/** By how much a timer is late when this thread was at work. */
const BUSY_MS = 20;
const MOST_WAITS = 50;

/** What {@linkcode machine} is made from. */
export interface MachineOptions {
  readonly env: World["env"];
  readonly cwd: string;
  readonly configFlag: string | undefined;
  readonly timeoutMs: number;
  /** Ends what is still at work. */
  readonly signal: AbortSignal;
}

/** This machine, as checks look at it. */
export function machine({ env, cwd, configFlag, timeoutMs, signal }: MachineOptions): World {
  let project: ReturnType<World["project"]> | undefined;
  let started: ReturnType<World["preflight"]> | undefined;
  return {
    env,
    uid: userId(),
    timeoutMs,
    now: () => Date.now(),
    setting,
    findProgram(name) {
      const found = findProgram(name, env.PATH ?? "", cwd);
      return found.ok ? found.value : undefined;
    },
    async execute(program, args) {
      try {
        const { code, stdout } = await new Deno.Command(program, {
          args: [...args],
          clearEnv: true,
          stdin: "null",
          stdout: "piped",
          stderr: "null",
          signal: AbortSignal.any([signal, AbortSignal.timeout(PROGRAM_MS)]),
        }).output();
        return { code, stdout: new TextDecoder().decode(stdout) };
      } catch {
        return undefined;
      }
    },
    lookup: async (host) => {
      // As programs do it, /etc/hosts included.
      const found = await within(timeoutMs, lookup(host, { all: true }));
      return found.map(({ address }) => address);
    },
    knock: (endpoint) => knock(endpoint, timeoutMs),
    async freeBytes(directory) {
      const { bavail, bsize } = await statfs(directory);
      return bavail * bsize;
    },
    project: () => project ??= readProject({ flag: configFlag, env, cwd }),
    preflight: () => started ??= preflight(signal),
    limits: probeLimits,
  };
}

function setting(path: string): string | undefined {
  try {
    if (Deno.statSync(path).size > LARGEST_SETTING) return "";
    return Deno.readTextFileSync(path);
  } catch {
    return undefined;
  }
}

async function knock(endpoint: Endpoint, timeoutMs: number): Promise<Answer> {
  // One that comes too late is closed all the same.
  const connecting: Promise<Deno.Conn> = endpoint.transport === "unix"
    ? Deno.connect(endpoint)
    : Deno.connect(endpoint);
  const closed = connecting.then((connection) => connection.close());
  closed.catch(() => {});
  try {
    await within(timeoutMs, closed);
    return "accepted";
  } catch (cause) {
    const nobody = cause instanceof Deno.errors.ConnectionRefused ||
      cause instanceof Deno.errors.NotFound;
    return nobody ? "refused" : "silent";
  }
}

/**
 * Waits for an answer. Checks that compute keep this thread busy meanwhile: a timer that comes
 * late says nothing of whoever is to answer, and is set again.
 */
async function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const wait = (again: number) => {
      const since = performance.now();
      timer = setTimeout(() => {
        const wasBusy = performance.now() - since > timeoutMs + BUSY_MS;
        if (wasBusy && again > 0) wait(again - 1);
        else reject(new Error(`no answer within ${timeoutMs} ms`));
      }, timeoutMs);
    };
    wait(MOST_WAITS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

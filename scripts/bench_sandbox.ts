/**
 * What it costs to work in the sandbox once it is there: pieces of work inside a sandbox that runs
 * and outside of it, one after the other in turn, so that a disturbance of the machine hits both.
 * An argument of `dist` takes the compiled program; otherwise firma runs from source. Others name
 * the pieces of work; without them it is all.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selfCommand } from "../src/config/self_command.ts";
import { makeProject } from "./bench_sandbox/project.ts";

const ROUNDS = Number(Deno.env.get("FIRMA_BENCH_ROUNDS") ?? 31);
const WORKER = fileURLToPath(new URL("bench_sandbox/worker.py", import.meta.url));
const DIST = fileURLToPath(new URL("../dist/firma", import.meta.url));
const WORK = ["true", "compile", "git status", "git status, 20,000 files", "npm install"] as const;
const LONGEST = Math.max(...WORK.map((name) => name.length));
const BAR = 1.05;

interface Figures {
  readonly wall: number;
  readonly cpu: number;
}

/** A process that works on demand. */
class Worker implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  readonly #answers: AsyncGenerator<unknown>;

  constructor(command: readonly string[], cwd: string, env: Record<string, string>) {
    const [program, ...args] = command;
    this.#child = new Deno.Command(program!, {
      args,
      cwd,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#input = this.#child.stdin.getWriter();
    this.#answers = lines(this.#child.stdout);
  }

  async ready(): Promise<void> {
    await this.#next();
  }

  async work(name: string): Promise<Figures> {
    await this.#input.write(new TextEncoder().encode(`${JSON.stringify(name)}\n`));
    const [wall, cpu] = await this.#next() as [number, number];
    return { wall, cpu };
  }

  async #next(): Promise<unknown> {
    const { done, value } = await this.#answers.next();
    if (done) throw new Error("a worker ended early; its last words are above");
    return value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#input.close();
    await this.#child.status;
  }
}

async function* lines(stream: ReadableStream<Uint8Array>): AsyncGenerator<unknown> {
  let pending = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const complete = (pending + text).split("\n");
    pending = complete.pop()!;
    for (const line of complete) yield JSON.parse(line);
  }
}

function least(values: readonly number[]): number {
  return Math.min(...values);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

const base = await Deno.makeTempDir({ prefix: "firma-bench-" });
const project = join(base, "home/project");
await Deno.mkdir(project, { recursive: true });
await Deno.copyFile(WORKER, join(project, "worker.py"));
const env = {
  HOME: join(base, "home"),
  PATH: "/usr/local/bin:/usr/bin:/bin",
  XDG_DATA_HOME: join(base, "data"),
  FIRMA_STATE_DIR: join(base, "state"),
};
try {
  await makeProject(project);
  const firma = Deno.args[0] === "dist" ? [DIST] : selfCommand();
  const command = ["/usr/bin/python3", "worker.py"];
  await using inside = new Worker(
    [...firma, "run", "--yes", "--sidecar", "local", "--", ...command],
    project,
    env,
  );
  await using outside = new Worker(command, project, env);
  await Promise.all([inside.ready(), outside.ready()]);
  console.log(`${ROUNDS} rounds: medians, ratios as medians of the rounds', and of the least`);
  console.log(
    `${"".padEnd(LONGEST)}  outside ms   inside ms     wall      CPU   least wall  least CPU`,
  );
  const wanted = WORK.filter((name) => Deno.args.includes(name));
  for (const name of wanted.length > 0 ? wanted : WORK) {
    const rounds: { inside: Figures; outside: Figures }[] = [];
    for (const worker of [inside, outside]) await worker.work(name); // fills caches
    for (let round = 0; round < ROUNDS; round++) {
      // Who goes first takes turns.
      const order = round % 2 === 0 ? [inside, outside] : [outside, inside];
      const figures = new Map<Worker, Figures>();
      for (const worker of order) figures.set(worker, await worker.work(name));
      rounds.push({ inside: figures.get(inside)!, outside: figures.get(outside)! });
    }
    const ms = (of: "inside" | "outside") =>
      (median(rounds.map((round) => round[of].wall)) * 1000).toFixed(1).padStart(11);
    const ratio = (of: keyof Figures) =>
      median(rounds.map((round) => round.inside[of] / round.outside[of])).toFixed(3).padStart(8);
    // What other programs take of the machine can only add to a figure.
    const leastRatio = (of: keyof Figures) =>
      (least(rounds.map((round) => round.inside[of])) /
        least(rounds.map((round) => round.outside[of]))).toFixed(3).padStart(11);
    console.log(
      `${name.padEnd(LONGEST)} ${ms("outside")} ${ms("inside")} ${ratio("wall")} ${ratio("cpu")} ` +
        `${leastRatio("wall")} ${leastRatio("cpu")}`,
    );
  }
  console.log(`bar: ${BAR}, except for a program that does nothing`);
} finally {
  await Deno.remove(base, { recursive: true });
}

/**
 * What it costs to put a program that does nothing under enforcement: wall time
 * and CPU time of every process that takes part, and where the wall time goes.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRunDirectory } from "../src/run/run_directory.ts";
import { spawnSidecar } from "../src/run/spare_sidecar.ts";
import { startSidecar } from "../src/run/sidecar_process.ts";
import { newId } from "../src/core/id.ts";
import { unwrap } from "../src/core/result.ts";
import { selfCommand } from "../src/config/self_command.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const ROUNDS = 15;
const PHASES = ["ready", "session", "end", "exit"] as const;

const PROGRAMS: readonly {
  readonly name: string;
  readonly self: readonly [string, ...string[]];
}[] = [
  { name: "dist/firma", self: [`${ROOT}dist/firma`] },
  { name: "source", self: selfCommand() },
];
const SUBJECTS: readonly {
  readonly name: string;
  readonly command: readonly string[];
  /** Whether it needs a Sidecar that runs already. */
  readonly joins?: boolean;
}[] = [
  { name: "true", command: ["true"] },
  ...PROGRAMS.flatMap(({ name, self }) => [
    { name: `${name} version`, command: [...self, "version"] },
    { name: `${name} --help`, command: [...self, "--help"] },
    {
      name: `${name} run -- true`,
      command: [...self, "run", "--yes", "--sidecar", "local", "--", "true"],
    },
    {
      name: `${name} run -- true, joined`,
      command: [...self, "run", "--yes", "--no-autostart", "--", "true"],
      joins: true,
    },
  ]),
];

/** Starts or ends the Sidecar that runs may join; returns how long that took, in milliseconds. */
async function daemon(words: readonly string[], cwd: string): Promise<number> {
  const start = performance.now();
  const [program, ...prefix] = PROGRAMS[0]!.self;
  const { success, stderr } = await new Deno.Command(program, {
    args: [...prefix, "sidecar", ...words],
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`sidecar ${words[0]}: ${new TextDecoder().decode(stderr)}`);
  return performance.now() - start;
}

/** What this shell's `times` says of its children: user and system time, minutes and seconds. */
function childSeconds(times: string): number {
  const [user, system] = times.trim().split("\n").at(-1)!.split(" ");
  const seconds = (text: string) => {
    const [, minutes, rest] = /^(\d+)m([\d.]+)s$/.exec(text)!;
    return Number(minutes) * 60 + Number(rest);
  };
  return seconds(user!) + seconds(system!);
}

interface Cost {
  readonly wallMs: number;
  readonly cpuMs: number;
}

async function once(command: readonly string[], cwd: string): Promise<Cost> {
  const start = performance.now();
  // Every process of firma waits for those that it starts, so that `times` counts them all.
  const { success, stdout, stderr } = await new Deno.Command("/bin/sh", {
    args: ["-c", '"$@" >/dev/null && times', "sh", ...command],
    cwd,
    env: { XDG_DATA_HOME: `${cwd}/data` }, // not into the trust records and the log of the person
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${command.join(" ")}: ${decoder.decode(stderr)}`);
  const cpuMs = childSeconds(decoder.decode(stdout)) * 1000;
  return { wallMs: performance.now() - start, cpuMs };
}

/** How long each step of a Sidecar's life takes, in milliseconds. */
async function phases(self: readonly [string, ...string[]], project: string): Promise<number[]> {
  const times: number[] = [];
  let last = performance.now();
  const lap = () => {
    const now = performance.now();
    times.push(now - last);
    last = now;
  };
  const sandboxId = newId("sbx");
  const env = { ...Deno.env.toObject(), XDG_DATA_HOME: `${project}/data` };
  using directory = unwrap(createRunDirectory(sandboxId, env));
  {
    await using sidecar = startSidecar({
      process: spawnSidecar(self),
      configFile: join(project, ".firma/firma.toml"),
      configDigest: new Uint8Array(
        await crypto.subtle.digest(
          "SHA-256",
          Deno.readFileSync(join(project, ".firma/firma.toml")),
        ),
      ).toHex(),
      runDirectory: directory.path,
      onNotice: () => {},
    });
    unwrap(await sidecar.ready);
    lap();
    const session = unwrap(
      await sidecar.openSession({
        sandbox_id: sandboxId,
        agent_id: newId("agt"),
        profile: "generic",
        command: "true (0 arguments)",
        workspace: project,
      }),
    );
    lap();
    await sidecar.endSession(session.session_id, 0);
    lap();
  }
  lap();
  return times;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!;
}

function column(value: number): string {
  return value.toFixed(0).padStart(9);
}

const project = await Deno.makeTempDir({ prefix: "firma-bench-" });
Deno.env.set("XDG_DATA_HOME", `${project}/data`);
Deno.env.set("FIRMA_STATE_DIR", `${project}/state`);
try {
  const costs = SUBJECTS.map((): Cost[] => []);
  // Fills every cache, and writes the configuration that the Sidecar needs.
  for (const { command, joins } of SUBJECTS) if (!joins) await once(command, project);
  const starts: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    starts.push(await daemon(["start", "--detach"], project));
    if (round < ROUNDS - 1) await daemon(["stop"], project);
  }
  // One of each in turn, so that a disturbance of the machine hits all alike.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { command }] of SUBJECTS.entries()) {
      costs[index]!.push(await once(command, project));
    }
  }
  console.log(`${`${ROUNDS} rounds, milliseconds`.padEnd(30)}   median      min      max      CPU`);
  for (const [index, { name }] of SUBJECTS.entries()) {
    const walls = costs[index]!.map(({ wallMs }) => wallMs);
    const figures = [median(walls), Math.min(...walls), Math.max(...walls)];
    const cpu = median(costs[index]!.map(({ cpuMs }) => cpuMs));
    console.log(name.padEnd(30) + [...figures, cpu].map(column).join(""));
  }
  console.log(
    `\n${"the Sidecar alone, median".padEnd(30)}${PHASES.map((p) => p.padStart(9)).join("")}`,
  );
  for (const { name, self } of PROGRAMS) {
    const rounds: number[][] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await phases(self, project));
    const medians = PHASES.map((_, index) => median(rounds.map((round) => round[index]!)));
    console.log(name.padEnd(30) + medians.map(column).join(""));
  }
  const started = [median(starts), Math.min(...starts), Math.max(...starts)].map(column).join("");
  console.log(`\n${"dist/firma sidecar start".padEnd(30)}${started}`);
  console.log(
    "bars: dist/firma version 80, --help 120, run -- true 350, joined 250, sidecar start 1000",
  );
} finally {
  await daemon(["stop"], project);
  await Deno.remove(project, { recursive: true });
}

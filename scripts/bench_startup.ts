/** How long it takes to put a program that does nothing under enforcement, and to start at all. */
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const ROUNDS = 15;

const SUBJECTS: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: "true", command: ["true"] },
  { name: "dist/firma version", command: [`${ROOT}dist/firma`, "version"] },
  { name: "dist/firma run -- true", command: [`${ROOT}dist/firma`, "run", "--yes", "--", "true"] },
  { name: "scripts/firma version", command: [`${ROOT}scripts/firma`, "version"] },
  {
    name: "scripts/firma run -- true",
    command: [`${ROOT}scripts/firma`, "run", "--yes", "--", "true"],
  },
];

async function once(command: readonly string[], cwd: string): Promise<number> {
  const start = performance.now();
  const { success, stderr } = await new Deno.Command(command[0]!, {
    args: command.slice(1),
    cwd,
    env: { XDG_DATA_HOME: `${cwd}/data` }, // not into the trust records and the log of the person
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  return performance.now() - start;
}

const project = await Deno.makeTempDir({ prefix: "firma-bench-" });
try {
  const times = SUBJECTS.map((): number[] => []);
  for (const { command } of SUBJECTS) await once(command, project); // fills every cache
  // One of each in turn, so that a disturbance of the machine hits all alike.
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, { command }] of SUBJECTS.entries()) {
      times[index]!.push(await once(command, project));
    }
  }
  console.log(`${ROUNDS} rounds, milliseconds                median      min      max`);
  for (const [index, { name }] of SUBJECTS.entries()) {
    const sorted = times[index]!.sort((a, b) => a - b);
    const figures = [sorted[ROUNDS >> 1]!, sorted[0]!, sorted[ROUNDS - 1]!];
    console.log(
      name.padEnd(34) + figures.map((ms) => ms.toFixed(0).padStart(9)).join(""),
    );
  }
} finally {
  await Deno.remove(project, { recursive: true });
}

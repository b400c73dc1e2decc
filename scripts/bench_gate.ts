/**
 * What the execution gate costs: the same programs in a sandbox with it and without, by turns.
 *
 *     scripts/bench gate
 */
import { join } from "node:path";

const ROUNDS = 5;
const EACH = 200;
const FIRMA = new URL("../dist/firma", import.meta.url).pathname;

/** Executes by posix_spawn, one after the other, and prints milliseconds for each. */
const LOOP = `
import os, sys, time
def each(path, argv, count):
    start = time.perf_counter()
    for number in range(count):
        words = [word.replace("#", str(number)) for word in argv]
        os.waitpid(os.posix_spawn(path, words, os.environ), 0)
    return (time.perf_counter() - start) / count * 1000
each("/bin/true", ["true"], 20)
print(each("/bin/true", ["true"], ${EACH}), each("/bin/rmdir", ["rmdir", "nothing#"], ${EACH}))
`;

/** Each target is a compiler of two programs, which make starts by itself. */
const TARGETS = Number(Deno.env.get("FIRMA_BENCH_TARGETS") ?? 1_667);
const BUILD_ROUNDS = 2;

/** Builds small files with as many jobs as there are processors, and prints seconds. */
const BUILD = `
import os, shutil, subprocess, time
shutil.rmtree("build", ignore_errors=True)
os.mkdir("build")
for number in range(${TARGETS}):
    with open(f"build/{number}.c", "w") as file:
        file.write(f"int value_{number}(int x) {{ return x * {number}; }}\\n")
objects = " ".join(f"{number}.o" for number in range(${TARGETS}))
with open("build/Makefile", "w") as file:
    file.write(f"all: {objects}\\n%.o: %.c\\n\\t/usr/bin/cc -O1 -c -o $@ $<\\n")
start = time.perf_counter()
subprocess.run(["make", "-s", "-C", "build", f"-j{os.cpu_count()}"], check=True)
print(time.perf_counter() - start)
`;

/** A median, which other work on the machine moves less than a mean. */
function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

const home = await Deno.makeTempDir();
try {
  const project = join(home, "project");
  await Deno.mkdir(project);
  await Deno.writeTextFile(join(project, "loop.py"), LOOP);
  const env = { HOME: home, XDG_RUNTIME_DIR: home, PATH: Deno.env.get("PATH") ?? "" };
  const firma = async (...args: string[]) => {
    const command = new Deno.Command(FIRMA, { args, cwd: project, env, clearEnv: true });
    const { success, stdout, stderr } = await command.output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };
  await firma("run", "--yes", "--", "true");
  const file = join(project, ".firma/firma.toml");
  const text = await Deno.readTextFile(file);
  await Deno.writeTextFile(join(project, "build.py"), BUILD);
  const setGate = (gate: string) =>
    Deno.writeTextFile(file, `${text}\n[run.sidecar_local_exec]\ngate = "${gate}"\n`);
  const python = (script: string) =>
    firma("run", "--trust", "--yes", "--", "/usr/bin/python3", script);
  const taken = { required: [[], []] as number[][], off: [[], []] as number[][] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const gate of ["off", "required"] as const) {
      await setGate(gate);
      const said = await python("loop.py");
      said.trim().split(" ").forEach((number, index) => taken[gate][index]!.push(Number(number)));
    }
  }
  ["a standing answer", "a decision of its own, with files counted"].forEach((what, index) => {
    const [without, withGate] = [median(taken.off[index]!), median(taken.required[index]!)];
    const added = (withGate - without).toFixed(2);
    console.log(
      `${what}: ${without.toFixed(2)} ms without the gate, ${withGate.toFixed(2)} ms with it ` +
        `(${added} ms more)`,
    );
  });
  const built = { required: [] as number[], off: [] as number[] };
  for (let round = 0; round < BUILD_ROUNDS; round++) {
    for (const gate of ["off", "required"] as const) {
      await setGate(gate);
      built[gate].push(Number(await python("build.py")));
    }
  }
  const [without, withGate] = [Math.min(...built.off), Math.min(...built.required)];
  console.log(
    `a build of ${3 * TARGETS} executions: ${without.toFixed(1)} s without the gate, ` +
      `${withGate.toFixed(1)} s with it (${(withGate / without).toFixed(2)} times)`,
  );
} finally {
  await Deno.remove(home, { recursive: true });
}

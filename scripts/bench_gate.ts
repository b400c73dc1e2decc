/**
 * What the execution gate costs: the same programs in a sandbox with it and without, by turns.
 *
 *     scripts/bench gate
 */
import { join } from "node:path";

const ROUNDS = 5;
/** What rests on a standing answer is executed so often: the gate's own code is compiled meanwhile. */
const STANDING = 1_000;
const DECIDED = 200;
const FIRMA = new URL("../dist/firma", import.meta.url).pathname;

/** Executes by posix_spawn, one after the other, and prints median and mean of each kind in milliseconds. */
const LOOP = `
import os, statistics, time
def each(path, argv, count):
    times = []
    for number in range(count):
        words = [word.replace("#", str(number)) for word in argv]
        start = time.perf_counter()
        os.waitpid(os.posix_spawn(path, words, os.environ), 0)
        times.append((time.perf_counter() - start) * 1000)
    print(statistics.median(times), statistics.mean(times))
each("/bin/true", ["true"], ${STANDING})
each("/bin/rmdir", ["rmdir", "nothing#"], ${DECIDED})
`;

/** Each target is a compiler of two programs, which make starts by itself. */
const TARGETS = Number(Deno.env.get("FIRMA_BENCH_TARGETS") ?? 1_667);
const BUILD_ROUNDS = 2;

/** What is compiled: next to nothing, and a small file as people write them. */
const SOURCES = {
  "of one line each": `int value_@(int x) { return x * @; }\n`,
  "of 20 lines and 3 headers each": `#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry_@ { char name[32]; int count; struct entry_@ *next; };

struct entry_@ *find_@(struct entry_@ *list, const char *name) {
  for (; list; list = list->next)
    if (strcmp(list->name, name) == 0) return list;
  return NULL;
}

int add_@(struct entry_@ **list, const char *name) {
  struct entry_@ *found = find_@(*list, name);
  if (found) return ++found->count;
  if (!(found = calloc(1, sizeof *found))) return -1;
  snprintf(found->name, sizeof found->name, "%s", name);
  found->next = *list;
  *list = found;
  return found->count = 1;
}
`,
} as const;

/** Builds as many such files with as many jobs as there are processors, and prints seconds. */
const build = (source: string) => `
import os, shutil, subprocess, time
SOURCE = ${JSON.stringify(source)}
shutil.rmtree("build", ignore_errors=True)
os.mkdir("build")
for number in range(${TARGETS}):
    with open(f"build/{number}.c", "w") as file:
        file.write(SOURCE.replace("@", str(number)))
objects = " ".join(f"{number}.o" for number in range(${TARGETS}))
with open("build/Makefile", "w") as file:
    file.write(f"all: {objects}\\n%.o: %.c\\n\\t/usr/bin/cc -O2 -c -o $@ $<\\n")
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
  const setGate = (gate: string) =>
    Deno.writeTextFile(file, `${text}\n[run.sidecar_local_exec]\ngate = "${gate}"\n`);
  const python = (script: string) =>
    firma("run", "--trust", "--yes", "--", "/usr/bin/python3", script);
  const taken = { required: [] as number[][], off: [] as number[][] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const gate of ["off", "required"] as const) {
      await setGate(gate);
      taken[gate].push((await python("loop.py")).trim().split(/\s+/).map(Number));
    }
  }
  const kinds = ["a standing answer", "a decision of its own, with files counted"];
  kinds.forEach((what, index) => {
    const said = ["median", "mean"].map((which, at) => {
      const of = (gate: "off" | "required") =>
        median(taken[gate].map((figures) => figures[2 * index + at]!));
      const [without, withGate] = [of("off"), of("required")];
      return `${which} ${without.toFixed(2)} ms without the gate, ${
        withGate.toFixed(2)
      } ms with it ` +
        `(${(withGate - without).toFixed(2)} ms more)`;
    });
    console.log(`${what}: ${said.join("; ")}`);
  });
  for (const [what, source] of Object.entries(SOURCES)) {
    await Deno.writeTextFile(join(project, "build.py"), build(source));
    const built = { required: [] as number[], off: [] as number[] };
    for (let round = 0; round < BUILD_ROUNDS; round++) {
      for (const gate of ["off", "required"] as const) {
        await setGate(gate);
        built[gate].push(Number(await python("build.py")));
      }
    }
    const [without, withGate] = [Math.min(...built.off), Math.min(...built.required)];
    console.log(
      `a build of ${3 * TARGETS} executions, files ${what}: ${without.toFixed(1)} s without the ` +
        `gate, ${withGate.toFixed(1)} s with it (${(withGate / without).toFixed(2)} times)`,
    );
  }
} finally {
  await Deno.remove(home, { recursive: true });
}

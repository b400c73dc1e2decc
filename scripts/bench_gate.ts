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
  const taken = { required: [[], []] as number[][], off: [[], []] as number[][] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const gate of ["off", "required"] as const) {
      await Deno.writeTextFile(file, `${text}\n[run.sidecar_local_exec]\ngate = "${gate}"\n`);
      const said = await firma("run", "--trust", "--yes", "--", "/usr/bin/python3", "loop.py");
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
} finally {
  await Deno.remove(home, { recursive: true });
}

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { completionScript } from "../../../src/cli/completion/scripts.ts";
import { projectDataDir } from "../../../src/config/paths.ts";
import { newId } from "../../../src/core/id.ts";
import { Person } from "../../fixtures/cli.ts";

const FIRMA = fileURLToPath(new URL("../../../scripts/firma", import.meta.url));

/**
 * Types beginnings of lines into a shell on a terminal of its own, presses Tab after each, and
 * prints what the line has become. Arguments: how long to wait, the shell with its options, what
 * to type first, and the beginnings, as JSON.
 */
const TYPIST = `
import json, os, pty, re, select, sys, time
shell, setup, lines = json.loads(sys.argv[2])
pid, terminal = pty.fork()
if pid == 0:
    os.execvp(shell[0], shell)
seen = b""
def until(pattern):
    global seen
    end = time.time() + float(sys.argv[1])
    while True:
        found = re.search(pattern, seen, re.S)
        if found:
            seen = seen[found.end():]
            return found
        ready, _, _ = select.select([terminal], [], [], max(0, end - time.time()))
        if not ready:
            sys.exit("nothing came: " + repr(seen[-2000:]))
        seen += os.read(terminal, 65536)
os.write(terminal, setup.encode() + b"\\n")
until(rb"READY\\d+")
for line in lines:
    os.write(terminal, line.encode() + b"\\t\\x18\\x02")
    print(until(rb"<<([^\\r\\n]*)>>").group(1).decode())
`;

/** What Ctrl-X Ctrl-B does in each shell: print the line, and begin a new one. */
const BASH_SETUP = `PS1=; bind 'set enable-bracketed-paste off'; source ./bash; ` +
  `bind -x '"\\C-x\\C-b": printf "<<%s>>\\n" "$READLINE_LINE"; READLINE_LINE='; echo READY$((1))`;
const ZSH_SETUP = `PS1=; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; ` +
  `show() { zle -I; print -r -- "<<$BUFFER>>"; BUFFER= }; zle -N show; ` +
  `bindkey '^X^B' show; echo READY$((1))`;

/** A project with the completions of each shell, and `firma` on the path. */
async function prepare(): Promise<{ person: Person; env: Record<string, string> }> {
  const person = await Person.create();
  await person.write("bash", completionScript("bash"));
  await person.write("_firma", completionScript("zsh"));
  await person.write("fish", completionScript("fish"));
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(FIRMA, join(bin, "firma"));
  return { person, env: { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` } };
}

/** A name that does something unless it is quoted, as an agent could give it to a file. */
const HOSTILE = "a;touch owned$(touch owned)";
const LINES = [
  "firma doc",
  "firma run --posture st",
  "firma run --posture=st",
  "firma policy validate a",
];
const COMPLETED = [
  "firma doctor ",
  "firma run --posture strict ",
  "firma run --posture=strict ",
  "firma policy validate a\\;touch\\ owned\\$\\(touch\\ owned\\) ",
];

for (
  const [name, shell, setup] of [
    ["bash", ["bash", "--norc", "--noprofile", "-i"], BASH_SETUP],
    ["zsh", ["zsh", "-f", "-i"], ZSH_SETUP],
  ] as const
) {
  Deno.test(`completions of ${name} complete what is typed there, and quote names of files`, async () => {
    const { person, env } = await prepare();
    await using _person = person;
    await person.write(HOSTILE, "");
    const words = ["-c", TYPIST, "100", JSON.stringify([shell, setup, LINES])];
    const typed = await person.startProgram("/usr/bin/python3", words, { env }).finished();
    assert.deepEqual(typed.stdout.split("\n").slice(0, -1), COMPLETED, typed.stderr);
    assert.throws(() => Deno.lstatSync(join(person.project, "owned")));
  });
}

Deno.test("completions of fish complete what is typed there, agents of the project too", async () => {
  const { person, env } = await prepare();
  await using _person = person;
  const [own, registered] = [newId("agt"), newId("agt")];
  await person.write(".firma/firma.toml", `[sidecar.authority]\nagent_id = "${own}"\n`);
  const config = Deno.realPathSync(join(person.project, ".firma/firma.toml"));
  const store = join(projectDataDir({ HOME: person.home }, config), "authority");
  await Deno.mkdir(store, { recursive: true });
  const agents = [
    { id: registered, name: "builder" },
    // Attack: whoever can write there would have it run by whoever types on.
    { id: "agt_$(touch owned)", name: "builder;touch owned" },
  ];
  await Deno.writeTextFile(join(store, "agents.json"), JSON.stringify(agents));
  await person.write("new.cedar", "");
  const asked = [
    "firma doc",
    "firma run --posture=st",
    "firma monitor --agent agt_",
    "firma authority agents remove bu",
    "firma policy validate new",
  ];
  const script = ["source ./fish", ...asked.map((line) => `complete -C '${line}'`)].join("; ");
  const { stdout, stderr } = await person
    .startProgram("fish", ["--no-config", "-c", script], { env }).finished();
  const values = stdout.split("\n").slice(0, -1).map((line) => line.split("\t")[0]);
  const ids = [own, registered].sort();
  assert.deepEqual(values, ["doctor", "--posture=strict", ...ids, "builder", "new.cedar"], stderr);
});

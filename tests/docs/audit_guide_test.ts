import assert from "node:assert/strict";
import { join } from "node:path";
import { blocks } from "./guide.ts";
import { Person } from "../fixtures/cli.ts";

/** What the commands of the guide print where it says so. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  "firma audit verify": /whole, \d+ lines, checkpoint at line \d+/,
  "openssl pkeyutl": /Signature Verified Successfully/,
  "firma policy replay --bundle strict": /decisions under posture strict: /,
};

Deno.test("every command of docs/guides/audit.md works as it stands", async () => {
  await using person = await Person.create();
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(join(Deno.cwd(), "scripts/firma"), join(bin, "firma"));
  for (const program of ["verify.py", "check_proof.py"]) {
    await person.write(program, await Deno.readTextFile(`docs/audit/${program}`));
  }
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
  const guide = await Deno.readTextFile("docs/guides/audit.md");
  const printed: string[] = [];
  for (const { language, text } of blocks(guide, /(?!)/g)) {
    if (language !== "sh") continue;
    const { code, stdout, stderr } = await person.startProgram("sh", ["-e", "-c", text], { env })
      .finished();
    assert.equal(code, 0, `${text}\n${stdout}${stderr}`);
    for (const [command, expected] of Object.entries(EXPECTED)) {
      if (text.includes(command)) assert.match(stdout, expected, text);
    }
    if (text.includes("dgst")) {
      const [first, second] = stdout.trim().split("\n");
      assert.equal(first!.split(" ")[0], second);
    }
    printed.push(text);
  }
  assert.ok(printed.length >= 9, `${printed.length}`);
  assert.match(await person.read("observed.cedar"), /resource\.host == "registry\./);

  await assertOfForm(person);

  // A changed line is found by every one of them.
  const log = await person.startProgram("sh", [
    "-c",
    `log=\${XDG_DATA_HOME:-$HOME/.local/share}/firma/audit/audit.jsonl
     sed -i '3s/"seq":3/"seq":4/' "$log"; firma audit verify; echo "$?"`,
  ], { env }).finished();
  assert.match(log.stdout, /broken at line 3[^]*\n1\n$/);
});

/** Holds every line of the log against the published schema, and a line with a member too many. */
async function assertOfForm(person: Person): Promise<void> {
  await person.write("schema.json", await Deno.readTextFile("docs/audit/event.schema.json"));
  const program = `
import json, sys, jsonschema
validator = jsonschema.Draft7Validator(json.load(open("schema.json")))
kinds = set()
for line in open(sys.argv[1]):
    event = json.loads(line)
    kinds.add(event["kind"])
    fault = jsonschema.exceptions.best_match(validator.iter_errors(event))
    assert fault is None, (event, fault)
    assert not validator.is_valid({**event, "more": 1}), event
print(*sorted(kinds))
`;
  const { code, stdout, stderr } = await person.startProgram("/usr/bin/python3", [
    "-c",
    program,
    person.auditLog,
  ]).finished();
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "decision exec key outcome policy session\n");
}

import assert from "node:assert/strict";
import { eventually } from "../fixtures/deadline.ts";
import { API_HOST, makeWorld } from "../fixtures/world.ts";

const MAPPING = ".firma/mappings/test.toml";

/** Calls an address for ever and prints each status on a line. */
const loop = (path: string) =>
  `while :; do curl -s -m 120 -o /dev/null -w '%{http_code}\\n' https://${API_HOST}${path}; done`;

Deno.test("an edit of a mapping holds for the running session, whose sandbox stays connected", async () => {
  await using world = await makeWorld();
  const { person } = world;
  // The new rules name a host that the data plane had no permission for, so that it starts again.
  await using run = person.start(["run", "--trust", "--yes", "--", "sh", "-c", loop("/new")]);
  await run.printed(/^403$/m);
  assert.deepEqual(world.server.requests, []);

  await person.write(
    MAPPING,
    `[[rules]]
host = ["${API_HOST}", "other.firma.test"]
path = "/new"
action_class = "code.read"
`,
  );
  await run.printed(/^200$/m);
  assert.notEqual(world.server.requests.length, 0);

  const allowed = (await person.events()).filter((event) =>
    event.kind === "decision" && event.decision === "ALLOW"
  );
  assert.equal(allowed[0]?.kind === "decision" && allowed[0].action_class, "code.read");
});

Deno.test("an edit that is no valid mapping leaves the mapping in force, and says why", async () => {
  await using world = await makeWorld();
  const { person } = world;
  await using run = person.start(["run", "--trust", "--yes", "--", "sh", "-c", loop("/allowed")]);
  await run.printed(/^200$/m);
  await person.write(MAPPING, `[[rules]]\nhots = "${API_HOST}"\n`);
  await run.printed(/test\.toml/);
  const from = run.stdout.length;
  await eventually(
    "ten more calls",
    () => run.stdout.length > from + 40 ? true : undefined,
  );
  assert.doesNotMatch(run.stdout.slice(from), /^(?!200$)\d{3}$/m);
});

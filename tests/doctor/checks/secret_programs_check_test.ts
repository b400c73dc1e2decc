import assert from "node:assert/strict";
import { join } from "node:path";
import { CHECKS } from "../../../src/doctor/checks.ts";
import { secretProgramsCheck } from "../../../src/doctor/checks/secret_programs.ts";
import { found, Place, statuses } from "../support.ts";

/** A store for each program, by its name. */
const stores = (programs: Readonly<Record<string, string>>) =>
  Object.entries(programs).map(([id, program]) =>
    `[[sidecar.cli_secret_providers]]
provider_id = "${id}"
preset = "pass"
program = "${program}"
hosts = ["mapped.test"]
`
  ).join("\n");

function program(place: Place, name: string, mode: number): string {
  const path = place.write(name, "#!/bin/sh\n");
  Deno.chmodSync(path, mode);
  return path;
}

Deno.test("secretProgramsCheck has nothing to say where there are none, and is content with sound ones", async () => {
  using place = new Place();
  assert.ok(CHECKS.includes(secretProgramsCheck));
  assert.deepEqual(await statuses(secretProgramsCheck, place.world()), ["ok"]);
  const sound = program(place, "bin/sound", 0o755);
  Deno.symlinkSync(sound, place.path("bin/linked"));
  place.configure({ more: stores({ sound, linked: place.path("bin/linked") }) });
  const findings = await found(secretProgramsCheck, place.world());
  assert.deepEqual(findings.map(({ reason }) => reason), [
    `sound by ${sound}`,
    `linked by ${place.path("bin/linked")}`,
  ]);
});

Deno.test("secretProgramsCheck finds programs that cannot be run, and who else can change them", async () => {
  using place = new Place();
  const open = program(place, "bin/open", 0o757);
  const inOpen = program(place, "open/below/in-open", 0o755);
  Deno.chmodSync(place.path("open"), 0o757);
  // As in /tmp: nobody takes away what is another's.
  const inSticky = program(place, "sticky/in-sticky", 0o755);
  Deno.chmodSync(place.path("sticky"), 0o1777);
  Deno.symlinkSync(inOpen, place.path("bin/leads-to-open"));
  Deno.mkdirSync(place.path("bin/directory"));
  place.configure({
    more: stores({
      missing: join(place.base, "none"),
      plain: program(place, "bin/plain", 0o644),
      directory: place.path("bin/directory"),
      open,
      below: inOpen,
      leads: place.path("bin/leads-to-open"),
      sticky: inSticky,
    }),
  });
  const findings = await found(secretProgramsCheck, place.world());
  assert.deepEqual(findings.map(({ status, reason }) => `${status} ${reason.split(":")[0]}`), [
    "fail missing",
    "fail plain",
    "fail directory",
    "warn open",
    "warn below",
    "warn leads",
    `ok sticky by ${inSticky}`,
  ]);
  assert.deepEqual(findings.slice(3, 6).map(({ cure }) => cure), [
    `chmod go-w ${open}`,
    `chmod o-w ${place.path("open")}`,
    `chmod o-w ${place.path("open")}`,
  ]);
  for (const { status, cure } of findings) assert.ok(status === "ok" || cure);
});

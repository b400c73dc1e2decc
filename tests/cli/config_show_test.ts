import assert from "node:assert/strict";
import { join } from "node:path";
import { Person } from "../fixtures/cli.ts";

Deno.test("firma config show and validate tell what is set, where, and all that is wrong", async () => {
  await using person = await Person.create();
  await person.configure({ more: '[authority]\nmax_ttl = "15m"\n' });
  const file = join(await Deno.realPath(person.project), ".firma/firma.toml");

  const shown = await person.firma(["config", "show"], {
    env: { FIRMA_AUTHORITY_BUNDLE_TTL: "5s" },
  });
  assert.equal(shown.code, 0, shown.stderr);
  assert.match(shown.stdout, /^trust: unknown; firma run would not use it$/m);
  assert.match(shown.stdout, /^authority\.max_ttl +\.firma\/firma\.toml:\d+ +"15m"$/m);
  assert.match(shown.stdout, /^authority\.bundle_ttl +FIRMA_AUTHORITY_BUNDLE_TTL +"5s"$/m);
  assert.doesNotMatch(shown.stdout, /default/);

  const effective = await person.firma(["config", "show", "--effective", "--json", "project"], {
    cwd: person.home,
  });
  const { file: shownFile, found_by, values } = JSON.parse(effective.stdout);
  assert.deepEqual([shownFile, found_by], [file, "argument"]);
  const audit = values.find(({ key }: { key: string }) => key === "sidecar.audit.file_path");
  assert.deepEqual([audit.value, audit.source], [person.auditLog, { kind: "default" }]);

  const valid = await person.firma(["config", "validate"]);
  assert.deepEqual([valid.code, valid.stdout], [0, ".firma/firma.toml: OK\n"]);
  await person.write(".firma/policies/own.cedar", "permit (principal, action, resource) whne {};");
  await person.write(".firma/mappings/test.toml", "[[rules]]\nhots = 'a.test'\n");
  const invalid = await person.firma(["config", "validate"]);
  assert.equal(invalid.code, 1);
  assert.match(invalid.stderr, /at \.firma\/mappings\/test\.toml:2/);
  assert.match(invalid.stderr, /at \.firma\/policies\/own\.cedar:1/);

  // Attack: what a cloned repository wrote into its file is shown to whoever looks at it.
  await person.write(".firma/firma.toml", '[authority]\n"\\u001b]0;owned\\u0007" = 1\n');
  const hostile = await person.firma(["config", "validate"]);
  assert.equal(hostile.code, 1);
  // deno-lint-ignore no-control-regex -- what must not be there
  assert.doesNotMatch(hostile.stderr + hostile.stdout, /[\x00-\x09\x0b-\x1f\x7f-\x9f]/);
  assert.equal((await person.firma(["config", "validate", "nowhere"])).code, 2);
});

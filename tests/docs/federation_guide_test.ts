import assert from "node:assert/strict";
import {
  coveredClasses,
  permissionsFor,
  permissionsText,
} from "../../src/broker/providers/github_app/permissions.ts";
import { parseConfig } from "../../src/config/schema.ts";
import { blocks } from "./guide.ts";

const GUIDES = ["federation", "credentials"].map((name) =>
  Deno.readTextFileSync(new URL(`../../docs/guides/${name}.md`, import.meta.url))
);
const DEFAULTS = { projectDataDir: "/data/p", auditFile: "/data/a", authorityKey: "/data/k" };

Deno.test("every configuration of docs/guides/federation.md is one", () => {
  const examples = GUIDES.flatMap((guide) => blocks(guide, /$^/g)).filter(({ language, text }) =>
    language === "toml" && text.startsWith("[")
  );
  assert.ok(examples.length > 5);
  for (const { text } of examples) {
    const agent = '[sidecar.authority]\nagent_id = "agt_00000000000000000000000000"\n';
    const parsed = parseConfig(`${agent}${text}`, "/a/firma.toml", DEFAULTS);
    assert.ok(parsed.ok, `${text}\n${JSON.stringify(parsed)}`);
  }
});

Deno.test("docs/guides/federation.md has the permissions of every class", () => {
  const rows = GUIDES[0]!.matchAll(/^\| (`[a-z_.]+`(?:, `[a-z_.]+`)*) +\| `([a-z_:, ]+)` +\|$/gm);
  const documented = new Map(
    [...rows].flatMap(([, classes, permissions]) =>
      classes!.split(", ").map((each) => [each.slice(1, -1), permissions!] as const)
    ),
  );
  const known = coveredClasses().map((name) =>
    [name, permissionsText(permissionsFor(name)!)] as const
  );
  assert.deepEqual([...documented].sort(), [...known].sort());
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { redactArguments } from "../../src/audit/redact_arguments.ts";

const SECRET = "hunter2hunter2";

Deno.test("redactArguments() takes secrets out of command lines", async (t) => {
  const cases: Record<string, readonly string[]> = {
    "an option": ["x", "--password", SECRET],
    "an option with =": ["x", `--api-key=${SECRET}`],
    "a variable": ["env", `GITHUB_TOKEN=${SECRET}`, "gh"],
    "a URL": ["git", "clone", `https://me:${SECRET}@host.test/r`],
    "a query": ["curl", `https://host.test/?token=${SECRET}&a=b`],
    "a header": ["curl", "-H", `Authorization: Bearer ${SECRET}`],
    "a user": ["curl", "-u", `me:${SECRET}`],
    "mysql": ["mysql", `-p${SECRET}`],
    "a script": ["sh", "-c", `export API_TOKEN=${SECRET}; curl --password ${SECRET} x`],
    "the shortest token": ["x", "eyJhunter2s.e.", "eyJhunter2hunter2.e.s"],
    "a token by its form": ["x", "ghp_hunter2hunter2hunter2hunter2hunter2"],
  };
  for (const [name, argv] of Object.entries(cases)) {
    await t.step(name, () => {
      const text = redactArguments(argv).join(" ");
      assert.ok(!text.includes("hunter2"), text);
      assert.match(text, /\[REDACTED\]/);
    });
  }
});

Deno.test("redactArguments() leaves what is no secret, and the number of words, as they are", () => {
  const plain = ["git", "commit", "-m", "Fix a bug", "--author", "Ada", "src/x.ts", "a=b"];
  assert.deepEqual(redactArguments(plain), plain);
  fc.assert(fc.property(fc.array(fc.string()), (argv) => {
    assert.equal(redactArguments(argv).length, argv.length);
  }));
});

import assert from "node:assert/strict";
import { readCredentials } from "../../src/sidecar/authority_credentials.ts";

const OWNER = { workspaceId: "acme", sidecarId: "build-1" };
const SECRET = "0123456789abcdef0123456789abcdef";

Deno.test("readCredentials() finds the secret in a variable or in a file of mode 0600", async () => {
  const expected = { ok: true, value: { ...OWNER, preSharedKey: SECRET } };
  const variable = { ...OWNER, key: { from: "environment", variable: "PSK" } } as const;
  assert.deepEqual(await readCredentials(variable, { PSK: SECRET }), expected);
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, `${SECRET}\n`);
    await Deno.chmod(path, 0o600);
    const file = { ...OWNER, key: { from: "file", path } } as const;
    assert.deepEqual(await readCredentials(file, {}), expected);
    await Deno.chmod(path, 0o640);
    const open = await readCredentials(file, {});
    assert.ok(!open.ok);
    assert.equal(open.error.code, "KEY_INSECURE");
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("readCredentials() refuses what is no secret, and does not show it", async (t) => {
  const cases: Record<string, [string | undefined, RegExp]> = {
    "nothing": [undefined, /the variable PSK: value is empty$/],
    "blanks": ["  \n", /value is empty$/],
    "a short one": [SECRET.slice(1), /shorter than 32 characters$/],
  };
  for (const [name, [value, expected]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const key = { from: "environment", variable: "PSK" } as const;
      const read = await readCredentials({ ...OWNER, key }, { PSK: value });
      assert.ok(!read.ok);
      assert.match(read.error.message, expected);
      assert.ok(!JSON.stringify(read.error).includes(SECRET.slice(1)));
    });
  }
});

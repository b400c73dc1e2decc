import assert from "node:assert/strict";
import { join } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;

async function genProto(root: string): Promise<{ code: number; text: string }> {
  const { code, stdout, stderr } = await new Deno.Command(join(root, "scripts/gen_proto"), {
    args: ["--check"],
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, text: decode(stdout) + decode(stderr) };
}

/** A copy of what the script reads, in which `change` has been made to authority.proto. */
async function changed(change: (text: string) => string): Promise<string> {
  const copy = await Deno.makeTempDir({ prefix: "firma-proto-" });
  await Deno.mkdir(join(copy, "src"));
  const cp = new Deno.Command("cp", {
    args: ["-r", "buf.yaml", "buf.gen.yaml", "proto", "scripts", copy],
    cwd: ROOT,
  });
  assert.ok((await cp.output()).success);
  await new Deno.Command("cp", { args: ["-r", join(ROOT, "src/proto"), join(copy, "src")] })
    .output();
  const file = join(copy, "proto/firma/v1/authority.proto");
  await Deno.writeTextFile(file, change(await Deno.readTextFile(file)));
  return copy;
}

Deno.test("scripts/gen_proto finds proto/ clean and compatible, and src/proto made from it", async () => {
  const { code, text } = await genProto(ROOT);
  assert.equal(code, 0, text);
});

Deno.test("scripts/gen_proto refuses what breaks its users, bad style, and code that is not current", async (t) => {
  const cases: Record<string, [(text: string) => string, RegExp]> = {
    "a field with another number": [
      (text) => text.replace("string session_id = 4;", "string session_id = 44;"),
      /"4" with name "session_id"/,
    ],
    "a name in camel case": [
      (text) => text.replace("message BundleLoss {", "message BundleLoss {\n  bool isLost = 9;"),
      /lower_snake_case/,
    ],
    "a new field that was not generated": [
      (text) => text.replace("message BundleLoss {", "message BundleLoss {\n  bool is_lost = 9;"),
      /run scripts\/gen_proto/,
    ],
  };
  for (const [name, [change, expected]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const copy = await changed(change);
      try {
        const { code, text } = await genProto(copy);
        assert.notEqual(code, 0);
        assert.match(text, expected);
      } finally {
        await Deno.remove(copy, { recursive: true });
      }
    });
  }
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { stubBlocks } from "../../../src/sidecar/stores/stub_request.ts";
import { stubFile } from "../../../src/sandbox/stores/stub_file.ts";

/** A stub, and who answers it. */
async function withStub(
  work: (stub: string, listener: Deno.UnixListener, directory: string) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "firma-stub-" });
  const socket = join(directory, "store.sock");
  const stub = join(directory, "stub");
  await Deno.writeFile(stub, stubFile(socket), { mode: 0o755 });
  using listener = Deno.listen({ transport: "unix", path: socket });
  try {
    await work(stub, listener, directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const start = (stub: string, args: readonly string[], cwd: string) =>
  new Deno.Command(stub, { args: [...args], cwd, clearEnv: true, stdout: "piped", stderr: "piped" })
    .output();

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

async function answering(
  listener: Deno.UnixListener,
  answer: Uint8Array,
  piece = answer.length,
): Promise<string> {
  const conn = await listener.accept();
  let said = "";
  const buffer = new Uint8Array(65_536);
  for (let n = await conn.read(buffer); n !== null; n = await conn.read(buffer)) {
    said += text(buffer.subarray(0, n));
  }
  for (let at = 0; at < answer.length; at += piece) {
    const part = answer.subarray(at, at + piece);
    for (let sent = 0; sent < part.length;) sent += await conn.write(part.subarray(sent));
  }
  conn.close();
  return said;
}

Deno.test("a stub says directory and arguments, and shows what it is answered, however that is cut", async () => {
  await withStub(async (stub, listener, directory) => {
    const long = "0123456789abcdef".repeat(40_000);
    const args = ["show", "agents/api", "", "ä b", "x".repeat(20_000)];
    for (const piece of [undefined, 1_000, 4_097]) {
      const answer = stubBlocks({ stdout: long, stderr: "said\n", status: 42 });
      const [ended, said] = await Promise.all([
        start(stub, args, directory),
        answering(listener, answer, piece),
      ]);
      assert.equal(said, [directory, stub, ...args, ""].join("\0"));
      assert.equal(ended.code, 42, text(ended.stderr));
      assert.equal(text(ended.stdout), long);
      assert.equal(text(ended.stderr), "said\n");
    }
  });
});

Deno.test("a stub ends without an answer, with half of one, and without anybody", async () => {
  await withStub(async (stub, listener, directory) => {
    const answer = stubBlocks({ stdout: "shown\n", stderr: "", status: 0 });
    for (const part of [answer.subarray(0, 0), answer.subarray(0, 5_000)]) {
      const [ended] = await Promise.all([start(stub, [], directory), answering(listener, part)]);
      assert.equal(ended.code, 126);
      assert.match(text(ended.stderr), /^firma: not run: the Sidecar does not answer\n$/);
    }
    listener.close();
    const ended = await start(stub, [], directory);
    assert.equal(ended.code, 126);
    assert.equal(text(ended.stdout), "");
  }).catch((cause) => {
    if (!(cause instanceof Deno.errors.BadResource)) throw cause; // it was closed above
  });
});

Deno.test("stubFile() is a small executable for each kind of machine", () => {
  for (const [arch, machine] of [["x86_64", 62], ["aarch64", 183]] as const) {
    const file = stubFile("/run/store.sock", arch);
    assert.equal(new DataView(file.buffer).getUint16(18, true), machine);
    assert.ok(file.length < 2_048, `${file.length}`);
  }
});

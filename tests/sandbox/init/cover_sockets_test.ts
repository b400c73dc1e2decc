import assert from "node:assert/strict";
import { join } from "node:path";

const MODULE = new URL("../../../src/sandbox/init/cover_sockets.ts", import.meta.url).href;

const SCRIPT = `
const { coverSockets } = await import(${JSON.stringify(MODULE)});
const [socket, gone] = Deno.args;
const connect = () => Deno.connect({ transport: "unix", path: socket })
  .then((conn) => { conn.close(); return "connected"; }, (error) => error.code ?? error.name);
const before = await connect();
coverSockets([gone, gone + "/below", socket]);
console.log(JSON.stringify([before, await connect()]));
`;

Deno.test({
  name: "coverSockets() covers a socket, and passes over one that is gone by now",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const directory = await Deno.makeTempDir();
    const path = join(directory, "host.sock");
    using _server = Deno.listen({ transport: "unix", path });
    const probe = join(directory, "probe.ts");
    await Deno.writeTextFile(probe, SCRIPT);
    const { stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...["--mount", Deno.execPath(), "run", "-A", "--quiet", "--no-config"],
        ...[probe, path, join(directory, "gone")],
      ],
    }).output();
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    assert.deepEqual(JSON.parse(text(stdout) || "[]"), ["connected", "ECONNREFUSED"], text(stderr));
    await Deno.remove(directory, { recursive: true });
  },
});

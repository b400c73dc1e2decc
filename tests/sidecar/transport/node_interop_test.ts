import assert from "node:assert/strict";
import { TestCa } from "../../fixtures/test_ca.ts";
import { eventually, startHarness } from "./_harness.ts";

const SCRIPT = new URL("../../fixtures/node_http2.mjs", import.meta.url).pathname;
const SESSIONS = 20;

/** Starts the server and reads its port from the first line that it prints. */
async function startServer(certFile: string, keyFile: string) {
  const args = [SCRIPT, "server", certFile, keyFile];
  const process = new Deno.Command("node", { args, stdout: "piped" }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("\n")) text += (await reader.read()).value ?? "\n";
  return { port: Number(text), process, reader };
}

Deno.test("transport stands between Node.js and Node.js, over many HTTP/2 sessions", async () => {
  const directory = await Deno.makeTempDir({ prefix: "firma-node-" });
  const ca = await TestCa.create("CN=node test CA");
  const { cert, key } = await ca.issue("api.test");
  const [certFile, keyFile] = [`${directory}/cert.pem`, `${directory}/key.pem`];
  await Deno.writeTextFile(certFile, cert);
  await Deno.writeTextFile(keyFile, key);
  const { port, process, reader } = await startServer(certFile, keyFile);
  try {
    await using harness = await startHarness(undefined);
    harness.gate.routeOf = (host) => ({
      host,
      port: 443,
      tls: true,
      connectAddr: { hostname: "127.0.0.1", port },
      caCerts: [ca.certificate],
    });
    const client = await new Deno.Command("node", {
      args: [SCRIPT, "client", harness.bridge(), "api.test", harness.caFile, SESSIONS].map(String),
    }).output();
    assert.equal(client.code, 0, new TextDecoder().decode(client.stderr));
    const seen = JSON.parse(new TextDecoder().decode(client.stdout));
    const expected = Array.from({ length: SESSIONS }, (_, i) => [
      { status: 200, path: `/get/${i}`, told: "0", size: 0, large: 0 },
      { status: 200, path: "/post", told: "100000", size: 100_000, sum: "1", large: 0 },
      { status: 200, path: "/large/300000", told: "0", size: 0, large: 300_000 },
    ]).flat();
    assert.deepEqual(seen, expected);
    const { gate } = harness;
    const calls = () => gate.calls.filter(({ target }) => target !== "/given-up").length;
    assert.equal(calls(), expected.length);
    await eventually(() => gate.outcomes.length === gate.calls.length, "every outcome");
    assert.deepEqual(gate.refusals, []);
  } finally {
    process.kill();
    await reader.cancel();
    await process.status;
    await Deno.remove(directory, { recursive: true });
  }
});

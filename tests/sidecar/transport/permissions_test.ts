import assert from "node:assert/strict";
import { TestCa } from "../../fixtures/test_ca.ts";
import { startUpstream } from "../../fixtures/upstream.ts";
import { Bridge } from "./_harness.ts";

Deno.test("startTransport() needs no more than the network of its hosts and its socket directory", async () => {
  const upstream = await startUpstream("api.test");
  const directory = await Deno.makeTempDir({ prefix: "firma-worker-" });
  const ca = await TestCa.create();
  const caFile = `${directory}/ca.pem`;
  await Deno.writeTextFile(caFile, ca.certificate);
  const { cert, key } = await ca.issue("api.test");
  const frontPath = `${directory}/front-0.sock`;
  const worker = new Worker(new URL("./_confined_worker.ts", import.meta.url), {
    type: "module",
    deno: {
      permissions: {
        net: [`127.0.0.1:${upstream.tlsPort}`, `unix:${frontPath}`],
        read: [directory],
        write: [directory],
        env: false,
        ffi: false,
        import: false,
        run: false,
        sys: false,
      },
    },
  });
  try {
    const ready = new Promise((resolve, reject) => {
      worker.onmessage = resolve;
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message));
      };
    });
    const start = { frontPath, port: upstream.tlsPort, caPem: upstream.caPem };
    worker.postMessage({ ...start, certPem: cert, keyPem: key });
    await ready;
    const bridge = new Bridge(frontPath, {});
    for (const version of ["--http1.1", "--http2"]) {
      const output = await new Deno.Command("curl", {
        args: [
          ...["-sS", version, "--max-time", "10", "--proxy", `http://127.0.0.1:${bridge.port}`],
          ...["--cacert", caFile, "https://api.test/status/200"],
        ],
      }).output();
      assert.equal(new TextDecoder().decode(output.stderr), "");
      assert.equal(new TextDecoder().decode(output.stdout), "status 200");
    }
    await bridge.close();
  } finally {
    worker.terminate();
    await upstream.close();
    await Deno.remove(directory, { recursive: true });
  }
});

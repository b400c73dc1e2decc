import assert from "node:assert/strict";
import * as crypto from "node:crypto";
import { nodeModule } from "../../src/core/node_module.ts";

Deno.test("nodeModule() gives what an import would", () => {
  const hash = nodeModule("node:crypto").hash("sha256", "text", "hex");
  assert.equal(hash, crypto.hash("sha256", "text", "hex"));
});

Deno.test("nodeModule() needs no permission", async () => {
  const module = new URL("../../src/core/node_module.ts", import.meta.url);
  const program = `import { nodeModule } from ${JSON.stringify(module)};
    postMessage(nodeModule("node:url").domainToASCII("b\\u00fccher.test"));`;
  const url = URL.createObjectURL(new Blob([program], { type: "text/javascript" }));
  const worker = new Worker(url, {
    type: "module",
    deno: { permissions: { read: [module] } },
  });
  try {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = (event) => reject(new Error(event.message));
    assert.equal(await promise, "xn--bcher-kva.test");
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
});

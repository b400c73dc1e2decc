import assert from "node:assert/strict";
import { cedarModule } from "../../src/policy/cedar_module.ts";
import { bundle, envelope, on } from "./support.ts";

Deno.test("PolicyEngine runs in a worker that has no permission at all", async () => {
  const worker = new Worker(new URL("./confined_worker.ts", import.meta.url), {
    type: "module",
    deno: { permissions: "none" },
  });
  try {
    const answer = Promise.withResolvers<{ read: string; decisions: { decision: string }[] }>();
    worker.onmessage = ({ data }) => answer.resolve(data);
    worker.onerror = (event) => {
      event.preventDefault();
      answer.reject(new Error(event.message));
    };
    worker.postMessage({
      module: await cedarModule(),
      bundle: bundle(`permit ${on("code.read")};`),
      envelopes: [envelope("code.read"), envelope("code.write")],
    });
    const { read, decisions } = await answer.promise;
    assert.equal(read, "NotCapable");
    assert.deepEqual(decisions.map(({ decision }) => decision), ["allow", "deny"]);
  } finally {
    worker.terminate();
  }
});

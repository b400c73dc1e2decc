import assert from "node:assert/strict";
import { startUpstream } from "../../fixtures/upstream.ts";
import { startHarness } from "./_harness.ts";

for (const version of ["--http1.1", "--http2"]) {
  for (const http1Upstream of [true, false]) {
    const title = `${version} to ${http1Upstream ? "HTTP/1.1" : "HTTP/2"}`;
    Deno.test(`transport forwards GET and POST, ${title}`, async () => {
      const upstream = await startUpstream("api.test");
      try {
        await using harness = await startHarness(upstream, { http1Upstream });
        const get = await harness.curl(version, "https://api.test/echo?x=1");
        assert.equal(get.stderr, "");
        const seen = JSON.parse(get.stdout);
        assert.equal(seen.path, "/echo?x=1");
        assert.equal(seen.httpVersion, http1Upstream ? "1.1" : "2.0");
        const post = await harness.curl(version, "https://api.test/echo", "-d", "hello");
        assert.equal(JSON.parse(post.stdout).body.size, 5);
        assert.equal(harness.gate.outcomes.length, 2);
      } finally {
        await upstream.close();
      }
    });
  }
}

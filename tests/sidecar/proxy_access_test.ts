import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { newId } from "../../src/core/id.ts";
import { createProxyAccess } from "../../src/sidecar/proxy_access.ts";

Deno.test("createProxyAccess() makes an address that holds what the data plane has the digest of", () => {
  const ids = { sessionId: newId("ses"), sandboxId: newId("sbx") };
  const access = createProxyAccess(ids);
  const url = new URL(access.url({ host: "127.0.0.1", port: 8080 }));
  assert.deepEqual([url.hostname, url.port, url.username], ["127.0.0.1", "8080", ids.sessionId]);
  assert.match(url.password, /^[\w-]{43}$/);
  const digest = hash("sha256", url.password, "hex");
  assert.deepEqual(access.secret.digest, Uint8Array.fromHex(digest));
  assert.deepEqual(access.secret.names, [ids.sessionId, ids.sandboxId]);
  assert.notEqual(
    url.password,
    new URL(createProxyAccess(ids).url({ host: "x", port: 1 })).password,
  );
});

Deno.test("createProxyAccess() writes names and addresses that a URL can hold", () => {
  const sandboxId = newId("sbx");
  const access = createProxyAccess({ sessionId: "build@7:x", sandboxId });
  const url = new URL(access.url({ host: "::1", port: 3128 }));
  assert.deepEqual([url.hostname, url.username], ["[::1]", sandboxId]);
});

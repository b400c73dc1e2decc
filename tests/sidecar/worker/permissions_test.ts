import assert from "node:assert/strict";
import { workerPermissions } from "../../../src/sidecar/worker/permissions.ts";

const REACH = {
  mappedHosts: ["*.wild.test", "api.code.test"],
  connectors: [
    { host: "api.code.test", connectAddr: { hostname: "127.0.0.1", port: 8443 }, caCerts: [] },
    { host: "six.test", connectAddr: { hostname: "::1", port: 8443 }, caCerts: [] },
    { host: "plain.test", connectAddr: undefined, caCerts: ["PEM"] },
  ],
  defaultProtected: true,
  socketDir: "/run/w0",
  sockets: ["/run/w0/s0/proxy.sock"],
};

Deno.test("workerPermissions() grants the mapped hosts and the sockets, nothing else", () => {
  assert.deepEqual(workerPermissions(REACH), {
    net: [
      "*.wild.test",
      "127.0.0.1:8443",
      "[::1]:8443",
      "api.code.test",
      "unix:/run/w0/s0/proxy.sock",
    ],
    read: ["/run/w0"],
    write: ["/run/w0"],
    env: false,
    run: false,
    ffi: false,
    sys: false,
    import: false,
  });
});

Deno.test("workerPermissions() opens the whole net only when any host may be called", () => {
  assert.equal(workerPermissions({ ...REACH, defaultProtected: false }).net, true);
  assert.equal(workerPermissions({ ...REACH, mappedHosts: ["*"] }).net, true);
  assert.equal(workerPermissions({ ...REACH, mayObserve: true }).net, true);
});

Deno.test("workerPermissions() grants the one address that the proxy listens on", () => {
  for (const [host, granted] of [["127.0.0.1", "127.0.0.1:8080"], ["::1", "[::1]:8080"]] as const) {
    const { net } = workerPermissions({ ...REACH, httpProxy: { host, port: 8080 } });
    const without = workerPermissions(REACH).net as string[];
    assert.deepEqual((net as string[]).filter((name) => !without.includes(name)), [granted]);
  }
});

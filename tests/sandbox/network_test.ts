import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { IDENTITIES, World } from "./support/world.ts";

const PROBE = fileURLToPath(new URL("support/network_probe.py", import.meta.url));
const ANSWER = "answer of the sidecar\n";

for (const identity of IDENTITIES) {
  Deno.test(`confine() leads every connection of ${identity.name} to the Sidecar`, async (t) => {
    using world = new World(identity);
    const probe = join(world.project, "probe.py");
    Deno.copyFileSync(PROBE, probe);
    world.own();
    const { stdout, stderr, seen, findings } = await world.run(["/usr/bin/python3", probe]);
    const outcome = stdout === "" ? {} : JSON.parse(stdout);
    assert.equal(stderr, "");
    const connection = (path: string) => seen.find(({ head }) => head.includes(path));

    await t.step("through the proxy variables", () => {
      assert.equal(outcome.proxy, ANSWER);
      const { via, host, destination, port } = connection("proxy.test/a")!;
      assert.deepEqual([via, host, destination, port], ["proxy", "", "127.0.0.1", 18080]);
    });
    await t.step("past the proxy variables, with the name that was looked up", () => {
      assert.equal(outcome.transparent, ANSWER);
      const { via, host, destination, port } = connection("GET /b")!;
      assert.deepEqual([via, host, port], ["transparent", "captured.test", 80]);
      assert.match(destination, /^198\.1[89]\./);
    });
    await t.step("by a child with an empty environment", () => {
      assert.equal(outcome.empty_environment, ANSWER);
      assert.equal(connection("GET /c")!.host, "empty.test");
    });
    await t.step("to addresses that were written out, of both families", () => {
      assert.equal(outcome.ipv4_literal, ANSWER);
      assert.equal(outcome.ipv6_literal, ANSWER);
      assert.equal(outcome.metadata, ANSWER);
      const v4 = connection("GET /d")!;
      assert.deepEqual([v4.host, v4.destination, v4.port], ["", "192.0.2.7", 80]);
      const v6 = connection("GET /e")!;
      assert.deepEqual([v6.host, v6.destination], ["", "20010db8000000000000000000000007"]);
      assert.equal(connection("GET /latest")!.destination, "169.254.169.254");
      assert.equal(outcome.tls_port, "HTTP/1.1 200 OK");
      assert.ok(seen.some(({ port, destination }) => port === 443 && destination === "192.0.2.8"));
    });
    await t.step("with the program that made it", () => {
      for (const path of ["proxy.test/a", "GET /b", "GET /e"]) {
        assert.equal(connection(path)!.executable, "/usr/bin/curl");
        assert.ok(connection(path)!.pid > 1);
      }
    });
    await t.step("and nothing anywhere else", () => {
      const refused = ["other_port", "other_port_ipv6", "udp", "quic"];
      for (const name of refused) assert.equal(outcome[name], "ECONNREFUSED", name);
      assert.deepEqual(outcome.interfaces, ["lo"]);
      assert.equal(seen.length, 7);
    });
    await t.step("and each attempt at anything else is told, with the program", () => {
      const told = findings.map(({ finding, detail, count, program }) =>
        // Others are refused by the kernel itself, and who it was may be gone by then.
        [finding, detail, count, /^tcp to \d+\./.test(detail) && program?.executable].join(" | ")
      );
      assert.deepEqual(told.toSorted(), [
        `connection | tcp to 192.0.2.7 port 25 | 1 | ${Deno.realPathSync("/usr/bin/python3")}`,
        "connection | tcp to 2001:db8:0:0:0:0:0:7 port 25 | 1 | false",
        "connection | udp to 192.0.2.7 port 443 | 1 | false",
        "connection | udp to 192.0.2.7 port 4433 | 1 | false",
      ]);
    });
    await t.step("DNS answers from 198.18.0.0/15, the same for the same name", () => {
      assert.match(outcome.dns_a, /^code 0 answers 1 198\.1[89]\.\d+\.\d+$/);
      assert.equal(outcome.dns_a_again, outcome.dns_a);
      assert.equal(outcome.dns_after_garbage, outcome.dns_a);
      assert.match(outcome.getaddrinfo.join(), /^198\.1[89]\.\d+\.\d+$/);
    });
    await t.step("DNS has no data for other types, and asks nobody", () => {
      assert.equal(outcome.dns_aaaa, "code 0 answers 0");
      assert.equal(outcome.dns_txt, "code 0 answers 0");
      assert.equal(outcome.dns_ptr, "code 3 answers 0");
      assert.equal(outcome.dns_garbage, "TimeoutError");
    });
    await t.step("DNS answers for other servers, and over TCP", () => {
      assert.match(outcome.dns_other_server, /^code 0 answers 1 198\.1[89]\./);
      assert.notEqual(outcome.dns_other_server, outcome.dns_a);
      assert.equal(outcome.dns_tcp, "2 answers");
    });
    await t.step("an agent's own servers are reached directly", () => {
      assert.equal(outcome.local_server, "own server");
      assert.deepEqual(outcome.localhost, ["127.0.0.1", "::1"]);
    });
    await t.step("the listeners cannot be taken over", () => {
      assert.equal(outcome.steal_proxy_port, "EADDRINUSE");
      assert.equal(outcome.steal_dns_port, "EACCES");
    });
  });

  Deno.test(`confine() closes connections of ${identity.name} at once without a Sidecar`, async () => {
    using world = new World(identity);
    const script = 'for names in "" "*"; do curl --noproxy "$names" http://a.test; echo $?; done';
    const { stdout } = await world.run(["sh", "-c", script], { withoutSidecar: true });
    assert.match(stdout, /^(52|56)\n(52|56)\n$/); // an empty reply, or a reset
  });
}

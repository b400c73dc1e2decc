/** Other processes of the host, and the sockets and ports that they listen at. */
import assert from "node:assert/strict";
import {
  BY_HAND,
  checkAttempts,
  type Expectation,
  makeHost,
  same,
  tryEverything,
} from "./support.ts";

const EXPECTATIONS: Readonly<Record<string, Expectation>> = {
  processes: { inside: ["bwrap", "python3"] },
  environment: { inside: BY_HAND },
  signal_host: same("ESRCH", "ok"),
  kill_job: same("EPERM", "killed by SIGKILL"),
  signal_job: same("EPERM", "killed by SIGUSR1"),
  // A descriptor of the group's leader cannot be had: it is no process of the sandbox.
  kill_job_by_descriptor: { inside: /^(ESRCH|EINVAL)$/ },
  slow_down_job: same("EPERM", "ok"),
  kill_first_process: same("goes on", "SIGKILL"),
  stop_first_process: same("goes on", "SIGSTOP"),
  first_process_status: same("confined", "free"),
  host_socket: same("ENOENT", "ok"),
  workspace_socket: same("ECONNREFUSED", "ok"),
  abstract_socket: same("ECONNREFUSED", "ok"),
  host_port: same("ECONNREFUSED", "ok"),
  host_port_ipv6: same("ECONNREFUSED", "ok"),
  host_address: same("ECONNREFUSED", "ok"),
  host_datagram_port: same("ECONNREFUSED", "let in"),
  host_datagram_address: same("ECONNREFUSED", "let in"),
  // Whether anybody may outside is up to the machine.
  echo_request: { inside: /PermissionError/ },
  tunnel_through_names: same("answers 0", "let in"),
};

Deno.test("firma run keeps an agent from the host's processes and what they listen at", async (t) => {
  await using host = await makeHost();
  const tried = await tryEverything(host, { modules: ["processes"] });
  const { inside, outside } = tried;
  await checkAttempts(t, tried, EXPECTATIONS);
  await t.step("processes: only the sandbox's own", () => {
    assert.ok((outside.get("processes") as string[]).includes("deno"));
  });
  await t.step("what went past the Sidecar is on record, with its program", async () => {
    const events = (await host.person.events()).filter((event) => event.kind === "sandbox");
    const attempt = (detail: string) => events.find((event) => event.detail.includes(detail));
    const { hostAddress, hostPort, hostDatagramPort } = host.planted;
    const tcp = attempt(`tcp to ${hostAddress} port ${hostPort}`);
    assert.match(tcp?.program?.executable ?? "", /python/);
    assert.ok(attempt(`udp to ${hostAddress} port ${hostDatagramPort}`));
    assert.ok(events.length <= 25, "an agent must not fill the log");
  });
  await t.step("environment: nothing of the host's that no profile names", () => {
    const environment = inside.get("environment") as Record<string, string>;
    assert.equal(environment.HOST_SECRET, undefined);
    assert.equal((outside.get("environment") as Record<string, string>).HOST_SECRET, "hunter2");
    assert.match(environment.FIRMA_RUN_SANDBOX_ID!, /^sbx_/);
    assert.equal(environment.SSL_CERT_FILE, "/run/firma/ca-bundle.pem");
  });
});

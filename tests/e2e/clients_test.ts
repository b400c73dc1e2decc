import assert from "node:assert/strict";
import { ALLOWED, API_HOST, DENIED, makeWorld } from "../fixtures/world.ts";

const PYTHON = `
import sys, urllib.error, urllib.request
try:
    answer = urllib.request.urlopen(sys.argv[1])
except urllib.error.HTTPError as refusal:
    answer = refusal
print(answer.status, answer.read().decode())
`;

const NODE = `
fetch(process.argv[1])
  .then(async (answer) => console.log(answer.status, await answer.text()))
  .catch((error) => { console.error(error); process.exitCode = 1; });
`;

/** How each client gets an address, prints status and body. */
const CLIENTS: Readonly<Record<string, (url: string) => string[]>> = {
  "curl with HTTP/1.1": (
    url,
  ) => ["curl", "-sS", "--http1.1", "-w", "%{http_code} HTTP/%{http_version}", url],
  "curl with HTTP/2": (
    url,
  ) => ["curl", "-sS", "--http2", "-w", "%{http_code} HTTP/%{http_version}", url],
  "wget": (url) => ["wget", "--server-response", "--content-on-error", "-O", "-", url],
  "python urllib": (url) => ["/usr/bin/python3", "-c", PYTHON, url],
  "node fetch": (url) => ["node", "-e", NODE, url],
};

for (const [client, command] of Object.entries(CLIENTS)) {
  Deno.test(`firma run lets ${client} do what the policy permits and nothing else`, async () => {
    await using world = await makeWorld();
    const { person, server } = world;

    const allowed = await person.run(command(ALLOWED));
    assert.equal(allowed.code, 0, allowed.stderr);
    assert.match(allowed.stdout + allowed.stderr, /200/);
    assert.match(allowed.stdout, /hello from \/allowed/);
    assert.deepEqual(server.requests.map((r) => r.target), ["/allowed"]);

    const denied = await person.run(command(DENIED));
    assert.match(denied.stdout + denied.stderr, /403/, denied.stderr);
    assert.match(denied.stdout, /"reason":\s*"PolicyDenied"/);
    assert.deepEqual(server.requests.map((r) => r.target), ["/allowed"]);

    if (client === "curl with HTTP/2") assert.match(allowed.stdout, /200 HTTP\/2/);
    if (client === "curl with HTTP/1.1") assert.match(allowed.stdout, /200 HTTP\/1\.1/);

    const events = await person.events();
    const decisions = events.filter((event) => event.kind === "decision");
    assert.deepEqual(
      decisions.map((e) => [e.decision, e.deny_reason, e.action_class, e.resource]),
      [
        ["ALLOW", "", "code.read", `${API_HOST}/allowed`],
        ["DENY", "PolicyDenied", "payment.payout", `${API_HOST}/denied`],
      ],
    );
    const outcomes = events.filter((event) => event.kind === "outcome");
    assert.deepEqual(outcomes.map((e) => [e.decision_event_id, e.status]), [
      [decisions[0]!.event_id, 200],
    ]);
  });
}

/**
 * Ways around the Sidecar that an agent would try. Each is tried outside of firma first, where it
 * works: a way that never led anywhere would prove nothing.
 */
import assert from "node:assert/strict";
import type { Finished } from "../fixtures/cli.ts";
import { outsideAddress } from "../fixtures/outside_address.ts";
import { ALLOWED, API_HOST, DENIED, makeWorld, type World } from "../fixtures/world.ts";

const TCP = `
import socket, sys
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), 60)
print(peer.recv(100).decode())
`;

const UDP = `
import socket, sys
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.settimeout(60)
peer.connect((sys.argv[1], int(sys.argv[2])))  # or a refusal would not be told
peer.send(b"out")
print(peer.recv(100).decode())
`;

async function outside(world: World, command: readonly string[]): Promise<Finished> {
  return await world.person.startProgram(command[0]!, command.slice(1)).finished();
}

Deno.test("firma run refuses a host that no mapping names, with a problem document", async () => {
  await using world = await makeWorld();
  const curl = await world.person.run([
    ...["curl", "-sS", "-w", "\n%{http_code} %{content_type}", "https://example.com/"],
  ]);
  assert.equal(curl.code, 0, curl.stderr);
  const [body, status] = [curl.stdout.split("\n")[0]!, curl.stdout.split("\n").at(-1)];
  assert.equal(status, "403 application/problem+json");
  const problem = JSON.parse(body);
  assert.equal(problem.reason, "UnclassifiedIntent");
  assert.equal(problem.denied, true);
  assert.equal(problem.status, 403);

  const [decision] = (await world.person.events()).filter((event) => event.kind === "decision");
  assert.equal(decision?.event_id, problem.event_id);
  assert.equal(decision?.decision, "DENY");
  assert.equal(decision?.deny_reason, "UnclassifiedIntent");
  assert.equal(decision?.resource, "example.com/");
});

Deno.test("firma run: a raw TCP connection gets nowhere, by loopback or by address", async () => {
  await using world = await makeWorld();
  let accepted = 0;
  using listener = Deno.listen({ hostname: "0.0.0.0", port: 0 });
  const serve = (async () => {
    for await (const connection of listener) {
      accepted++;
      await connection.write(new TextEncoder().encode("let in"));
      connection.close();
    }
  })();
  const port = String(listener.addr.port);
  for (const address of new Set(["127.0.0.1", outsideAddress()])) {
    accepted = 0;
    const command = ["/usr/bin/python3", "-c", TCP, address, port];
    assert.match((await outside(world, command)).stdout, /let in/);
    assert.equal(accepted, 1);
    const inside = await world.person.run(command);
    assert.notEqual(inside.code, 0);
    assert.doesNotMatch(inside.stdout, /let in/);
    assert.equal(accepted, 1);
  }
  listener.close();
  await serve;
});

Deno.test("firma run: UDP gets nowhere", async () => {
  await using world = await makeWorld();
  const socket = Deno.listenDatagram({ transport: "udp", hostname: "0.0.0.0", port: 0 });
  let received = 0;
  const serve = (async () => {
    for await (const [, from] of socket) {
      received++;
      await socket.send(new TextEncoder().encode("let in"), from);
    }
  })();
  try {
    for (const address of new Set(["127.0.0.1", outsideAddress()])) {
      received = 0;
      const port = String((socket.addr as Deno.NetAddr).port);
      const command = ["/usr/bin/python3", "-c", UDP, address, port];
      assert.match((await outside(world, command)).stdout, /let in/);
      assert.equal(received, 1);
      assert.notEqual((await world.person.run(command)).code, 0);
      assert.equal(received, 1);
    }
  } finally {
    socket.close();
    await serve;
  }
});

/** Ways to call the denied address; `address` is where its server really listens. */
const DETOURS: Readonly<Record<string, (address: string) => string>> = {
  "without the proxy": () => `curl -ksS --noproxy '*' ${DENIED}`,
  "without the proxy, straight to the server": (address) =>
    `curl -ksS --noproxy '*' --connect-to ${API_HOST}:443:${address} ${DENIED}`,
  "in a child with an empty environment": () => `env -i /usr/bin/curl -ksS ${DENIED}`,
  "in a child with an empty environment, straight to the server": (address) =>
    `env -i /usr/bin/curl -ksS --connect-to ${API_HOST}:443:${address} ${DENIED}`,
  "in a detached child": () =>
    `setsid env -i sh -c '/usr/bin/curl -ksS ${DENIED} > detached' < /dev/null; cat detached`,
  "with an attribution header of its own": () =>
    `curl -sS -H 'x-firma-session: ses_01jd8xk5w7e0v9c3b2n4m6q8rs' -H 'x-firma-agent: root' ${DENIED}`,
};

for (const [name, detour] of Object.entries(DETOURS)) {
  Deno.test(`firma run: a denied call gets nowhere ${name}`, async () => {
    await using world = await makeWorld();
    const { person, server } = world;
    for (const address of new Set(["127.0.0.1", outsideAddress()])) {
      const script = detour(`${address}:${server.port}`);
      const direct = script.includes("--connect-to");
      if (direct) {
        const control = await outside(world, ["sh", "-c", script]);
        assert.match(control.stdout, /hello from \/denied/, control.stderr);
      }
      const before = server.requests.length;
      // The same program may make the allowed call.
      const tried = await person.shell(`${script}; curl -sS ${ALLOWED}`);
      assert.match(tried.stdout, /hello from \/allowed/, tried.stderr);
      assert.doesNotMatch(tried.stdout, /hello from \/denied/);
      assert.deepEqual(server.requests.slice(before).map((r) => r.target), ["/allowed"]);
      if (!direct) break;
    }
  });
}

Deno.test("firma run attributes by what it saw, and hands on no header that claims otherwise", async () => {
  await using world = await makeWorld();
  const { person, server } = world;
  const claimed = "ses_01jd8xk5w7e0v9c3b2n4m6q8rs";
  await person.shell(`curl -sS -H 'x-firma-session: ${claimed}' -H 'X-Firma-Agent: x' ${ALLOWED}`);
  const headers = [...server.requests[0]!.headers.keys()];
  assert.deepEqual(headers.filter((name) => name.startsWith("x-firma")), []);
  const [decision] = (await person.events()).filter((event) => event.kind === "decision");
  assert.match(decision?.session_id ?? "", /^ses_/);
  assert.notEqual(decision?.session_id, claimed);
  assert.equal(decision?.envelope?.provenance.executable, "/usr/bin/curl");
});

/** Addresses that try to pass for the allowed one, or to hide where they lead. */
const MALFORMED: Readonly<Record<string, string>> = {
  "dot segments": `curl -sS --path-as-is 'https://${API_HOST}/allowed/../denied'`,
  "encoded dot segments": `curl -sS --path-as-is 'https://${API_HOST}/allowed/%2e%2e/denied'`,
  "an empty segment": `curl -sS --path-as-is 'https://${API_HOST}/allowed//denied'`,
  "a backslash": `curl -sS --path-as-is 'https://${API_HOST}/allowed/..\\denied'`,
  "an encoded NUL": `curl -sS --path-as-is 'https://${API_HOST}/allowed/%00'`,
  "another Host than the tunnel's": `curl -sS -H 'Host: other.firma.test' ${ALLOWED}`,
};

Deno.test("firma run refuses addresses that hide where they lead", async (t) => {
  await using world = await makeWorld();
  const { person, server } = world;
  const control = `curl -sS 'https://${API_HOST}/allowed/denied'`;
  const tried = await person.shell(
    [...Object.values(MALFORMED), control].map((script) => `${script}; echo`).join("\n"),
  );
  const answers = tried.stdout.split("\n").filter((line) => line !== "");
  const decisions = (await person.events()).filter((event) => event.kind === "decision");
  for (const [index, name] of Object.keys(MALFORMED).entries()) {
    await t.step(name, () => {
      assert.equal(JSON.parse(answers[index]!).reason, "MalformedRequest");
      assert.equal(decisions[index]?.decision, "DENY");
      assert.equal(decisions[index]?.deny_reason, "MalformedRequest");
    });
  }
  assert.equal(answers.at(-1), "hello from /allowed/denied", tried.stderr);
  assert.deepEqual(server.requests.map((r) => r.target), ["/allowed/denied"]);
});

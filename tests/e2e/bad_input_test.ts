/**
 * What an agent could send that is not a proper request. Each gets a refusal or a closed
 * connection and an event; nothing of it reaches the server, and the Sidecar goes on.
 */
import assert from "node:assert/strict";
import type { SignedEvent } from "../../src/core/event.ts";
import type { Person, Running } from "../fixtures/cli.ts";
import { eventually } from "../fixtures/deadline.ts";
import { API_HOST, makeWorld } from "../fixtures/world.ts";

/** Reads cases as JSON lines, plays each to the proxy, prints what came back as a JSON line. */
const AGENT = `
import json, socket, ssl, sys, time
def play(case):
    peer = socket.create_connection(("127.0.0.1", 18080), 60)
    peer.settimeout(60)
    if "connect" in case:
        peer.sendall(("CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % (case["connect"], case["connect"])).encode())
        head = b""
        while b"\\r\\n\\r\\n" not in head:
            part = peer.recv(1)
            if not part: break
            head += part
        if b" 200 " not in head: return head.decode("latin1")
    if "sni" in case:
        context = ssl._create_unverified_context()
        peer = context.wrap_socket(peer, server_hostname=case["sni"])
    data = case["send"].encode("latin1") * case.get("times", 1)
    if case.get("slowly"):
        for byte in data:
            peer.sendall(bytes([byte]))
            time.sleep(0.005)
    else:
        peer.sendall(data)
    answer = b""
    while len(answer) < 65536:
        part = peer.recv(4096)
        if not part: break
        answer += part
    return answer.decode("latin1")
for line in sys.stdin:
    try:
        print(json.dumps({"answer": play(json.loads(line))}), flush=True)
    except Exception as error:
        print(json.dumps({"answer": "", "error": repr(error)}), flush=True)
`;

interface Case {
  /** Opens a tunnel to there first. */
  readonly connect?: string;
  /** Starts TLS with this server name, before it sends. */
  readonly sni?: string;
  readonly send: string;
  readonly times?: number;
  /** A byte at a time. */
  readonly slowly?: boolean;
}

const TUNNEL = { connect: `${API_HOST}:443`, sni: API_HOST };
const HEAD = `GET /allowed HTTP/1.1\r\nHost: ${API_HOST}\r\nConnection: close\r\n`;

const REFUSED: Readonly<Record<string, Case>> = {
  "garbage": { send: "\x00\x01\x02garbage\xff\xfe\r\n\r\n" },
  "garbage in a tunnel": { connect: `${API_HOST}:443`, send: "SSH-2.0-OpenSSH_9.2\r\n\r\n" },
  "garbage under TLS": { ...TUNNEL, send: "\x00\x01\x02garbage\r\n\r\n" },
  "a server name unlike the tunnel's target": {
    connect: `${API_HOST}:443`,
    sni: "other.firma.test",
    send: `${HEAD}\r\n`,
  },
  "a Host unlike the tunnel's target": {
    ...TUNNEL,
    send: "GET /allowed HTTP/1.1\r\nHost: other.firma.test\r\nConnection: close\r\n\r\n",
  },
  "two Hosts": { ...TUNNEL, send: `${HEAD}Host: ${API_HOST}\r\n\r\n` },
  "no Host": { ...TUNNEL, send: "GET /allowed HTTP/1.1\r\nConnection: close\r\n\r\n" },
  "both lengths": {
    ...TUNNEL,
    send: `POST /allowed HTTP/1.1\r\nHost: ${API_HOST}\r\nConnection: close\r\n` +
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /denied HTTP/1.1\r\n\r\n",
  },
  "two different lengths": {
    ...TUNNEL,
    send: `POST /allowed HTTP/1.1\r\nHost: ${API_HOST}\r\nConnection: close\r\n` +
      "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
  },
  "a folded header": { ...TUNNEL, send: `${HEAD}X-A: b\r\n folded\r\n\r\n` },
  "a space before a colon": { ...TUNNEL, send: `${HEAD}X-A : b\r\n\r\n` },
  "a head without end": { ...TUNNEL, send: `${HEAD}X-Long: ${"a".repeat(1024)}`, times: 512 },
  "an oversized head": { ...TUNNEL, send: `${HEAD}X-Long: ${"a".repeat(300 * 1024)}\r\n\r\n` },
  "an absolute target of another host in a tunnel": {
    ...TUNNEL,
    send: `GET https://other.firma.test/allowed HTTP/1.1\r\nHost: ${API_HOST}\r\n` +
      "Connection: close\r\n\r\n",
  },
};

/** The same agent with proper requests, one of them a byte at a time. */
const SERVED: Readonly<Record<string, Case>> = {
  "a proper request": { ...TUNNEL, send: `${HEAD}\r\n` },
  "a proper request, slowly": { ...TUNNEL, send: `${HEAD}\r\n`, slowly: true },
};

async function play(agent: Running, played: Case): Promise<string> {
  const from = agent.stdout.length;
  await agent.write(`${JSON.stringify(played)}\n`);
  return await eventually("an answer", () => {
    const line = agent.stdout.slice(from);
    return line.endsWith("\n") ? JSON.parse(line).answer : undefined;
  });
}

/** Refusals among the events after the first `from`. */
async function refusals(person: Person, from: number): Promise<SignedEvent[] | undefined> {
  const events = (await person.events()).slice(from);
  const denied = events.filter((event) => event.kind === "decision" && event.decision === "DENY");
  return denied.length > 0 ? denied : undefined;
}

Deno.test("firma run survives whatever an agent sends, and forwards none of it", async (t) => {
  await using world = await makeWorld();
  const { person, server } = world;
  await using agent = person.start(
    ["run", "--trust", "--yes", "--", "/usr/bin/python3", "-c", AGENT],
  );
  for (const [name, played] of Object.entries(REFUSED)) {
    await t.step(`${name} is refused`, async () => {
      const from = (await person.events()).length;
      const answer = await play(agent, played);
      assert.match(answer, /^$|^HTTP\/1\.1 4\d\d /);
      assert.doesNotMatch(answer, /hello from/);
      assert.deepEqual(server.requests, []);
      const [refusal] = await eventually(
        () => `a refusal on record; the answer was "${answer}", firma said "${agent.stderr}"`,
        () => refusals(person, from),
      );
      assert.ok(refusal?.kind === "decision");
      assert.equal(refusal.deny_reason, "MalformedRequest");
    });
  }
  for (const [name, played] of Object.entries(SERVED)) {
    await t.step(`${name} is served still`, async () => {
      assert.match(await play(agent, played), /^HTTP\/1\.1 200 [^]*hello from \/allowed/);
    });
  }
});

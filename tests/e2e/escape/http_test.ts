/**
 * Ways to make the Sidecar call what it would not: other names in other places, requests hidden in
 * requests, addresses of the machine. Each is refused and on record, and nothing of it reaches the
 * server; the same client gets through with a proper request each time.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { Running } from "../../fixtures/cli.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { outsideAddress } from "../../fixtures/outside_address.ts";
import { API_HOST, makeWorld } from "../../fixtures/world.ts";

const PLAYER = fileURLToPath(new URL("probe/player.py", import.meta.url));
const OTHER_HOST = "other.firma.test";

/** As `probe/player.py` reads it. */
interface Case {
  readonly dial?: readonly [string, number];
  readonly connect?: string;
  readonly sni?: string;
  readonly send?: string;
  readonly streams?: readonly {
    readonly fields: readonly (readonly [string, string])[];
    readonly body?: string;
  }[];
}

const TUNNEL = { connect: `${API_HOST}:443`, sni: API_HOST };

function head(method: string, path: string, host: string, more = ""): string {
  return `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n${more}\r\n`;
}

function stream(path: string, authority: string, ...more: [string, string][]) {
  const fields: [string, string][] = [[":method", "GET"], [":scheme", "https"]];
  return { fields: [...fields, [":authority", authority], [":path", path], ...more] as const };
}

const GET = head("GET", "/allowed", API_HOST);
const HIDDEN = head("GET", "/denied", API_HOST);

function post(more: string, body: string): Case {
  return { ...TUNNEL, send: head("POST", "/allowed", API_HOST, more) + body };
}

/** Each way of calling, with a proper request. */
const SERVED: Readonly<Record<string, Case>> = {
  "through a tunnel": { ...TUNNEL, send: GET },
  "through a tunnel, by HTTP/2": { ...TUNNEL, streams: [stream("/allowed", API_HOST)] },
  "to an address that was looked up": { dial: [API_HOST, 443], sni: API_HOST, send: GET },
  "to an address that was written out": { dial: ["192.0.2.7", 443], sni: API_HOST, send: GET },
  "with a body": post("Content-Length: 5\r\n", "hello"),
  "in chunks": post("Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
};

/** Where a service of this machine listens, as an agent would write it. */
function ownServices(port: number): Record<string, Case> {
  const names = [
    ...["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433", "0x7f000001"],
    ...["0177.0.0.1", "[::ffff:127.0.0.1]", "[::]", outsideAddress(), "LOCALHOST."],
  ];
  return Object.fromEntries(names.map((name) => [
    `a service of the host at ${name === outsideAddress() ? "its own address" : name}`,
    { connect: `${name}:${port}`, sni: API_HOST, send: GET },
  ]));
}

const METADATA = "/latest/meta-data/iam/security-credentials/";
const METADATA_HOSTS = [
  ...["169.254.169.254", "[fd00:ec2::254]", "2852039166", "metadata.google.internal"],
  ...["100.100.100.200", "[::ffff:169.254.169.254]", "168.63.129.16"],
];

function refused(port: number): Readonly<Record<string, Case>> {
  return {
    ...ownServices(port),
    "a service of the host without a tunnel": {
      send: `GET http://127.0.0.1:${port}/allowed HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` +
        "Connection: close\r\n\r\n",
    },
    ...Object.fromEntries(METADATA_HOSTS.map((host) => [`metadata at ${host}`, {
      send: `GET http://${host}${METADATA} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`,
    }])),
    "metadata, ignoring the proxy": {
      dial: ["169.254.169.254", 80],
      send: head("GET", METADATA, "169.254.169.254"),
    },
    "metadata over IPv6, ignoring the proxy": {
      dial: ["fd00:ec2::254", 80],
      send: head("GET", METADATA, "[fd00:ec2::254]"),
    },
    "another port of a mapped host": { connect: `${API_HOST}:22`, send: "SSH-2.0-x\r\n\r\n" },
    "a mapped name that leads to the host's loopback": {
      connect: "localhost:443",
      sni: "localhost",
      send: head("GET", "/allowed", "localhost"),
    },
    "a denied path, ignoring the proxy": { dial: [API_HOST, 443], sni: API_HOST, send: HIDDEN },
    "a denied path by address, ignoring the proxy": {
      dial: ["192.0.2.7", 443],
      sni: API_HOST,
      send: HIDDEN,
    },
    "a tunnel to one name and TLS for another": {
      connect: `${OTHER_HOST}:443`,
      sni: API_HOST,
      send: GET,
    },
    "TLS for another name than the tunnel's": { ...TUNNEL, sni: OTHER_HOST, send: GET },
    "TLS for another name than was looked up": {
      dial: [OTHER_HOST, 443],
      sni: API_HOST,
      send: GET,
    },
    "TLS without a name, by address": { dial: ["192.0.2.7", 443], sni: "", send: HIDDEN },
    "another Host than the tunnel's": { ...TUNNEL, send: head("GET", "/allowed", OTHER_HOST) },
    "another Host, ignoring the proxy": {
      dial: [API_HOST, 443],
      sni: API_HOST,
      send: head("GET", "/allowed", OTHER_HOST),
    },
    "a Host with credentials before it": {
      ...TUNNEL,
      send: head("GET", "/allowed", `${API_HOST}@${OTHER_HOST}`),
    },
    "another authority in HTTP/2": { ...TUNNEL, streams: [stream("/allowed", OTHER_HOST)] },
    "another authority on a connection that was good for one (coalescing)": {
      ...TUNNEL,
      streams: [stream("/allowed", OTHER_HOST), stream("/denied", API_HOST)],
    },
    "a host field unlike the authority": {
      ...TUNNEL,
      streams: [stream("/allowed", API_HOST, ["host", OTHER_HOST])],
    },
    "a path of HTTP/2 that ends the request line": {
      ...TUNNEL,
      streams: [stream("/allowed HTTP/1.1\r\n\r\nGET /denied", API_HOST)],
    },
    "a field of HTTP/2 that ends the head": {
      ...TUNNEL,
      streams: [stream("/allowed", API_HOST, ["x-a", "b\r\n\r\nGET /denied HTTP/1.1"])],
    },
    "a transfer-encoding in HTTP/2": {
      ...TUNNEL,
      streams: [stream("/allowed", API_HOST, ["transfer-encoding", "chunked"])],
    },
    "more of a body in HTTP/2 than its length says": {
      ...TUNNEL,
      streams: [{
        fields: [
          ...[[":method", "POST"], [":scheme", "https"], [":authority", API_HOST]] as const,
          ...[[":path", "/denied"], ["content-length", "1"]] as const,
        ],
        body: `x${HIDDEN}`,
      }],
    },
    "a tunnel asked for by HTTP/2": {
      ...TUNNEL,
      streams: [{ fields: [[":method", "CONNECT"], [":authority", `${OTHER_HOST}:443`]] }],
    },
    "HTTP/2 in the clear, from the start (h2c)": {
      connect: `${API_HOST}:80`,
      streams: [stream("/denied", API_HOST)],
    },
    "HTTP/2 in the clear, by upgrade (h2c)": {
      send: `GET http://${API_HOST}/denied HTTP/1.1\r\nHost: ${API_HOST}\r\n` +
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
    },
    "a tunnel in a tunnel": {
      connect: `${API_HOST}:443`,
      send: `CONNECT ${OTHER_HOST}:443 HTTP/1.1\r\nHost: ${OTHER_HOST}:443\r\n\r\n`,
    },
    "a tunnel under TLS": {
      ...TUNNEL,
      send: `CONNECT ${OTHER_HOST}:443 HTTP/1.1\r\nHost: ${OTHER_HOST}:443\r\n\r\n`,
    },
    "a WebSocket to another host": {
      ...TUNNEL,
      send: webSocket("/allowed", OTHER_HOST),
    },
    "a WebSocket to a denied path": { ...TUNNEL, send: webSocket("/denied", API_HOST) },
    "SSH in a tunnel": { connect: `${API_HOST}:443`, send: "SSH-2.0-OpenSSH_9.2\r\n\r\n" },
    "TRACE": { ...TUNNEL, send: head("TRACE", "/allowed", API_HOST) },
    "both lengths": post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"),
    "two lengths": post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!"),
    "a length with a sign": post("Content-Length: +5\r\n", "hello"),
    "a coding that is nearly chunked": post("Transfer-Encoding: xchunked\r\n", HIDDEN),
    "chunked twice": post("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
    "chunked before another coding": post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
    "a tab before a colon": post("Transfer-Encoding\t: chunked\r\n", "0\r\n\r\n"),
    "a field name with a NUL": post("Content-Length\0: 5\r\n", "hello"),
    "a line that ends in a line feed alone": {
      ...TUNNEL,
      send: `GET /allowed HTTP/1.1\nHost: ${API_HOST}\n\n`,
    },
    "a target with another host": {
      ...TUNNEL,
      send: `GET https://${OTHER_HOST}/allowed HTTP/1.1\r\nHost: ${API_HOST}\r\n\r\n`,
    },
    "the old version without a Host": { ...TUNNEL, send: "GET /allowed HTTP/1.0\r\n\r\n" },
    "a denied path in other letters": {
      ...TUNNEL,
      sni: API_HOST.toUpperCase(),
      send: head("GET", "/denied", API_HOST.toUpperCase()),
    },
    "a denied path at a name with a dot behind it": {
      connect: `${API_HOST}.:443`,
      sni: API_HOST,
      send: head("GET", "/denied", `${API_HOST}.`),
    },
  };
}

function webSocket(path: string, host: string): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
}

/** `localhost` is mapped, as a name that its owner lets lead to this machine would be. */
const MAPPED_LOOPBACK = `
[[rules]]
host = "localhost"
path = "/allowed"
action_class = "code.read"
`;

Deno.test("firma run takes no request for another one, nor for a service of the host", async (t) => {
  await using world = await makeWorld();
  const { person, server } = world;
  const mapping = await person.read(".firma/mappings/test.toml");
  await person.write(".firma/mappings/test.toml", mapping + MAPPED_LOOPBACK);
  await using agent = person.start(
    ["run", "--trust", "--yes", "--", "/usr/bin/python3", "-c", await Deno.readTextFile(PLAYER)],
  );
  for (const [name, played] of Object.entries(SERVED)) {
    await t.step(`a proper request ${name} is served`, async () => {
      const from = server.requests.length;
      assert.match(await play(agent, played), /hello from \/allowed/);
      assert.deepEqual(server.requests.slice(from).map(({ target }) => target), ["/allowed"]);
    });
  }
  for (const [name, played] of Object.entries(refused(server.port))) {
    await t.step(`${name} is refused`, async () => {
      const [events, requests] = [(await person.events()).length, server.requests.length];
      const answer = await play(agent, played);
      assert.doesNotMatch(answer, /hello from/);
      assert.deepEqual(server.requests.slice(requests), []);
      await eventually(
        () => `a refusal on record; the answer was "${answer}", firma said "${agent.stderr}"`,
        async () => {
          const since = (await person.events()).slice(events);
          return since.some((event) =>
              event.kind === "decision" && event.decision === "DENY" ||
              event.kind === "outcome" && event.abort_reason !== ""
            )
            ? true
            : undefined;
        },
      );
    });
  }
  await t.step("requests one behind the other are each decided", async () => {
    const from = server.requests.length;
    const both = GET.replace("Connection: close\r\n", "") + HIDDEN;
    const answer = await play(agent, { ...TUNNEL, send: both });
    assert.match(answer, /hello from \/allowed[^]*HTTP\/1\.1 403/);
    assert.deepEqual(server.requests.slice(from).map(({ target }) => target), ["/allowed"]);
  });
  await t.step("a request in the body of another stays there", async () => {
    const from = server.requests.length;
    const answer = await play(agent, post(`Content-Length: ${HIDDEN.length}\r\n`, HIDDEN));
    assert.match(answer, /hello from \/allowed/);
    assert.deepEqual(server.requests.slice(from).map(({ target }) => target), ["/allowed"]);
  });
});

async function play(agent: Running, played: Case): Promise<string> {
  const from = agent.stdout.length;
  await agent.write(`${JSON.stringify(played)}\n`);
  return await eventually("an answer", () => {
    const line = agent.stdout.slice(from);
    return line.endsWith("\n") ? JSON.parse(line).answer : undefined;
  });
}

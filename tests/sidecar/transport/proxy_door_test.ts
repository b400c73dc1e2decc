/** The proxy that sessions without a sandbox share: who gets in, as whom, and what stays outside. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { hash } from "node:crypto";
import { startUpstream, type TestUpstream } from "../../fixtures/upstream.ts";
import { type Harness, proxyHeader, startHarness } from "./_harness.ts";
import { RawConnection } from "./_raw.ts";

const SECRET = "Zm9yIHRoaXMgdGVzdCBhbG9uZSwgMjU2IGJpdHMh";
const OTHER_SECRET = "YW5vdGhlciBvbmUgb2YgdGhlIHNhbWUgbGVuZ3Ro";
const NAMES = { a: ["ses_a", "sbx_a"], b: ["ses_b", "sbx_b"] } as const;

interface Door {
  readonly harness: Harness;
  readonly upstream: TestUpstream;
  readonly port: number;
  readonly raw: () => Promise<RawConnection>;
}

function basic(name: string, secret: string): string {
  return `Proxy-Authorization: Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}\r\n`;
}

const OWN = basic("ses_a", SECRET);

function digest(secret: string): Uint8Array {
  return hash("sha256", secret, "buffer");
}

/** Runs a test with two sessions, `ses_a` and `ses_b`, on one port. */
function withDoor(name: string, run: (door: Door) => Promise<void>): void {
  Deno.test(name, async () => {
    const upstream = await startUpstream("api.test");
    try {
      await using harness = await startHarness(upstream, { timeouts: { headMs: 500 } });
      const { transport } = harness;
      const any = { host: "127.0.0.1", port: 0 };
      const first = { names: NAMES.a, digest: digest(SECRET) };
      const address = await transport.admitSession("ses_a", first, any);
      const second = { names: NAMES.b, digest: digest(OTHER_SECRET) };
      assert.deepEqual(await transport.admitSession("ses_b", second, any), address);
      const raw = async () =>
        new RawConnection(await Deno.connect({ hostname: "127.0.0.1", port: address.port }));
      await run({ harness, upstream, port: address.port, raw });
    } finally {
      await upstream.close();
    }
  });
}

function get(url: string, more = ""): string {
  return `GET ${url} HTTP/1.1\r\nHost: ${new URL(url).host}\r\n${more}\r\n`;
}

/** Has curl ask by way of the door. */
async function curl({ harness, port }: Door, user: string, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command("curl", {
    args: ["-sS", "--max-time", "20", "--cacert", harness.caFile, "-w", "\n%{http_code}", ...args],
    env: {
      NO_PROXY: "",
      no_proxy: "",
      http_proxy: `http://${user}@127.0.0.1:${port}`,
      https_proxy: `http://${user}@127.0.0.1:${port}`,
    },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

withDoor(
  "a session gets in by its own or its sandbox's name, and is told from others",
  async (door) => {
    const { gate } = door.harness;
    for (const name of NAMES.a) {
      const { code, stdout } = await curl(door, `${name}:${SECRET}`, "https://api.test/echo");
      assert.deepEqual([code, stdout.split("\n").at(-1)], [0, "200"]);
    }
    await curl(door, `ses_b:${OTHER_SECRET}`, "http://api.test/echo");
    assert.deepEqual(gate.calls.map(({ peer }) => peer.sessionId), ["ses_a", "ses_a", "ses_b"]);
    const { via, address } = gate.calls[0]!.peer.provenance;
    assert.equal(via, "proxy");
    assert.match(address!, /^127\.0\.0\.1:\d+$/);
  },
);

withDoor("Python and Node.js get in with the address alone", async (door) => {
  const proxy = `http://ses_a:${SECRET}@127.0.0.1:${door.port}`;
  const python = `import urllib.request as r; print(r.urlopen("http://api.test/echo").status)`;
  const node =
    `const { request } = require("node:http"); const proxy = new URL(process.env.http_proxy);
    const auth = Buffer.from(proxy.username + ":" + proxy.password).toString("base64");
    request({ host: proxy.hostname, port: proxy.port, method: "CONNECT", path: "api.test:80",
      headers: { "proxy-authorization": "Basic " + auth } })
      .on("connect", ({ statusCode }, socket) => { console.log(statusCode); socket.destroy(); }).end();`;
  for (
    const [program, flag, script] of [["python3", "-c", python], ["node", "-e", node]] as const
  ) {
    const { stdout, stderr } = await new Deno.Command(program, {
      args: [flag, script],
      env: { http_proxy: proxy, no_proxy: "", NO_PROXY: "" },
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert.equal(text.trim(), "200", new TextDecoder().decode(stderr));
  }
});

// Attack: the secret must not get out, whatever form of request carries it.
withDoor("no upstream sees the secret or what an agent says of itself", async (door) => {
  const { upstream } = door;
  const headers = ["-H", "X-Firma-Agent: agt_other", "-H", "Proxy-Connection: keep-alive"];
  const user = `ses_a:${SECRET}`;
  await curl(door, user, ...headers, "http://api.test/one");
  await curl(door, user, ...headers, "https://api.test/two");
  await curl(door, user, "--http1.1", "-H", OWN.trim(), "https://api.test/three");
  await curl(door, user, "--http2", "-H", OWN.trim(), "https://api.test/four");
  assert.equal(upstream.seen.length, 4);
  for (const { path, rawHeaders } of upstream.seen) {
    assert.doesNotMatch(JSON.stringify(rawHeaders), /proxy-|x-firma|Zm9yIHRo/i, path);
  }
  assert.doesNotMatch(JSON.stringify(door.harness.gate.refusals), /Zm9yIHRo|WW05e/);
});

// Attack: whoever is of no session, by any other name or spelling.
const STRANGERS: Readonly<Record<string, [string, number]>> = {
  "nothing": ["", 407],
  "a wrong secret": [basic("ses_a", OTHER_SECRET), 407],
  "no secret": [basic("ses_a", ""), 407],
  "the beginning of the secret": [basic("ses_a", SECRET.slice(0, -1)), 407],
  "more than the secret": [basic("ses_a", `${SECRET}A`), 407],
  "another session's name": [basic("ses_b", SECRET), 407],
  "an unknown name": [basic("ses_c", SECRET), 407],
  "no name": [basic("", SECRET), 407],
  "the name of an inherited member": [basic("__proto__", SECRET), 407],
  "the digest for the secret": [basic("ses_a", digest(SECRET).toString()), 407],
  "another scheme": [OWN.replace("Basic", "Bearer"), 407],
  "no scheme": [OWN.replace("Basic ", ""), 407],
  "no base64": [`Proxy-Authorization: Basic ses_a:${SECRET}\r\n`, 407],
  "base64 with a space": [OWN.replace(/(.{20})\r\n/, " $1\r\n"), 407],
  "the secret twice": [OWN + OWN, 407],
  "the right one behind a wrong one": [basic("ses_a", "wrong") + OWN, 407],
  "the header for servers": [OWN.replace("Proxy-", ""), 407],
  "a header with an underscore": [OWN.replace("-A", "_A"), 407],
};

for (const [what, [header, status]] of Object.entries(STRANGERS)) {
  withDoor(`the door does nothing for who brings ${what}`, async ({ harness, upstream, raw }) => {
    for (
      const request of [
        get("http://api.test/echo", header),
        `CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n${header}\r\n`,
        `GET / HTTP/1.1\r\nHost: rebound.test\r\nOrigin: http://rebound.test\r\n${header}\r\n`,
      ]
    ) {
      await using connection = await raw();
      await connection.write(request);
      const answer = await connection.response();
      assert.equal(answer.status, status);
      assert.match(answer.head, /\r\nproxy-authenticate: Basic realm="firma"\r\n/i);
      assert.match(answer.head, /\r\nconnection: close\r\n/i);
      assert.equal(await connection.rest(), "");
    }
    const { gate } = harness;
    assert.deepEqual([gate.calls, gate.connects, upstream.seen], [[], [], []]);
    // What was tried is worth a record; that somebody knocked is not.
    assert.equal(gate.refusals.length, header === "" || !/^Proxy-A/.test(header) ? 0 : 3);
    assert.doesNotMatch(JSON.stringify(gate.refusals), /Zm9yIHRo|YW5vdGhl/);
  });
}

// Attack: bytes that make parsers differ about where the header is.
const MALFORMED: Readonly<Record<string, string | Uint8Array>> = {
  "a space before the colon": get("http://api.test/", OWN.replace(":", " :")),
  "a folded header": get("http://api.test/", OWN.replace("Basic ", "Basic\r\n ")),
  "a bare line feed": get("http://api.test/", OWN.replace("\r\n", "\n")),
  "a PROXY header": proxyHeader({ pid: "1", executable: "/usr/bin/curl" }),
  "a PROXY header and a request": Buffer.concat([
    proxyHeader({ name: "ses_a" }),
    Buffer.from(get("http://api.test/", OWN)),
  ]),
  "TLS": Buffer.from("160301020001", "hex"),
  "a head without an end": `GET http://api.test/ HTTP/1.1\r\n${OWN}`,
};

for (const [what, bytes] of Object.entries(MALFORMED)) {
  withDoor(`the door closes on ${what}`, async ({ harness, raw }) => {
    await using connection = await raw();
    await connection.write(bytes);
    assert.equal(await connection.rest(), "");
    const { gate } = harness;
    assert.deepEqual([gate.calls, gate.connects, gate.refusals], [[], [], []]);
  });
}

withDoor("each request of a connection has to be of its session", async ({ harness, raw }) => {
  const { gate } = harness;
  await using connection = await raw();
  await connection.write(get("http://api.test/one", OWN));
  assert.equal((await connection.response()).status, 200);
  for (const header of ["", basic("ses_b", OTHER_SECRET), basic("ses_a", "wrong")]) {
    await connection.write(get("http://api.test/two", header));
    assert.equal((await connection.response()).status, 407, header);
  }
  assert.equal(gate.calls.length, 1);
  assert.deepEqual(gate.refusals.map(({ detail }) => detail), [
    "a request of another session on a connection of this one",
    'proxy authentication failed for "ses_a"',
  ]);
  await connection.write(`CONNECT api.test:443 HTTP/1.1\r\nHost: api.test:443\r\n\r\n`);
  assert.equal((await connection.response()).status, 407);
  assert.deepEqual(gate.connects, []);
});

// Attack: another session's secret inside of a tunnel changes nothing about whose it is.
withDoor(
  "the head of a tunnel decides whose its requests are",
  async ({ harness, upstream, raw }) => {
    await using connection = await raw();
    await connection.write(`CONNECT api.test:80 HTTP/1.1\r\nHost: api.test:80\r\n${OWN}\r\n`);
    await connection.until("\r\n\r\n");
    const inner = `GET /echo HTTP/1.1\r\nHost: api.test\r\n${basic("ses_b", OTHER_SECRET)}\r\n`;
    await connection.write(inner);
    assert.equal((await connection.response()).status, 200);
    assert.deepEqual(harness.gate.calls.map(({ peer }) => peer.sessionId), ["ses_a"]);
    assert.doesNotMatch(JSON.stringify(upstream.seen), /proxy-auth/i);
  },
);

withDoor(
  "a session that has ended is a stranger, on connections that it had as well",
  async (door) => {
    const { harness, raw } = door;
    await using connection = await raw();
    await connection.write(get("http://api.test/echo", OWN));
    assert.equal((await connection.response()).status, 200);
    await harness.transport.closeSession("ses_a");
    assert.equal(await connection.rest(), "");
    await using again = await raw();
    await again.write(get("http://api.test/echo", OWN));
    assert.equal((await again.response()).status, 407);
    const other = await curl(door, `ses_b:${OTHER_SECRET}`, "http://api.test/echo");
    assert.equal(other.stdout.split("\n").at(-1), "200");
    await harness.transport.closeSession("ses_b");
    await assert.rejects(raw, /refused/i);
  },
);

// Attack: guessing; and guessing so that the rightful owner is shut out.
withDoor("guesses beyond a few get no answer that tells, and shut nobody out", async (door) => {
  const statuses: number[] = [];
  for (let i = 0; i < 30; i++) {
    await using connection = await door.raw();
    await connection.write(get("http://api.test/", basic("ses_a", `guess ${i}`)));
    statuses.push((await connection.response()).status);
  }
  assert.equal(statuses[0], 407);
  assert.ok(statuses.includes(429));
  assert.ok(door.harness.gate.refusals.length < 30);
  const { stdout } = await curl(door, `ses_a:${SECRET}`, "http://api.test/echo");
  assert.equal(stdout.split("\n").at(-1), "200");
  await using connection = await door.raw();
  await connection.write(get("http://api.test/"));
  assert.equal((await connection.response()).status, 407);
});

// Attack: connections that never say whose they are, until there is room for no other.
withDoor("who waits at the door without a word gives way to who speaks", async (door) => {
  const silent = await Promise.all(Array.from({ length: 300 }, () => door.raw()));
  const { stdout } = await curl(door, `ses_a:${SECRET}`, "http://api.test/echo");
  assert.equal(stdout.split("\n").at(-1), "200");
  for (const connection of silent) await connection[Symbol.asyncDispose]();
});

Deno.test("a door that cannot be had is an error, and the session can be opened elsewhere", async () => {
  await using harness = await startHarness(undefined);
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const secret = { names: ["ses_x"], digest: digest(SECRET) };
  const address = { host: "127.0.0.1", port: taken.addr.port };
  await assert.rejects(harness.transport.admitSession("ses_x", secret, address), /in use/);
  const any = { host: "127.0.0.1", port: 0 };
  assert.notEqual((await harness.transport.admitSession("ses_x", secret, any)).port, 0);
});

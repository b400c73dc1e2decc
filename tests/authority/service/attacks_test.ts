/** What clients may do to the Authority: those that it knows, and those that it does not. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { newId } from "../../../src/core/id.ts";
import * as h2 from "../../../src/net/http2/frame.ts";
import { writeAll } from "../../../src/net/write_all.ts";
import { eventually } from "../../fixtures/deadline.ts";
import { Http2Client } from "../../fixtures/http2_client.ts";
import { Listener } from "../support.ts";
import { certificates } from "./certificates.ts";
import { connectHttp2, connectTls, request, serve } from "./support.ts";

const SERVICE = "/firma.v1.AuthorityService";
const NO_SUCH = [[":path", "/"]] as const;
const WATCH = [
  [":method", "POST"],
  [":path", `${SERVICE}/WatchRevocations`],
  ["content-type", "application/grpc"],
  ["te", "trailers"],
] as const;
const EMPTY_MESSAGE = new Uint8Array(5);

/** An Authority over mutual TLS, a client that is on the list, and one that only has been heard of. */
async function situation() {
  const pki = await certificates();
  const { files } = await pki.client("sidecar-1");
  const authority = await serve({ tls: pki.serverTls });
  const old = await authority.client({ tls: files });
  const revocations = new Listener((signal) => old.remote.watchRevocations(signal));
  await eventually("the list", () => revocations.heard.length > 0 || undefined);
  return {
    pki,
    files,
    authority,
    /** The client that was there before goes on: it hears of a revocation and gets a token. */
    async goesOn(): Promise<void> {
      const tokenId = newId("ctok");
      await Deno.writeTextFile(authority.revocationFile, `${tokenId}\n`, { append: true });
      await eventually(
        "the revocation",
        () => revocations.heard.at(-1)!.some((one) => one.tokenId === tokenId) || undefined,
      );
      await eventually(
        "a token",
        async () => (await old.remote.issueCapability(request())).granted || undefined,
      );
      assert.deepEqual(old.notices, [], "its streams were never interrupted");
    },
    logged: (pattern: RegExp) =>
      eventually(
        () => `${pattern} in the log: ${authority.log.slice(-5).join("\n")}`,
        () => authority.log.find((line) => pattern.test(line)),
      ),
    [Symbol.asyncDispose]: async () => {
      await revocations[Symbol.asyncDispose]();
      await old[Symbol.asyncDispose]();
      await authority[Symbol.asyncDispose]();
      await pki[Symbol.asyncDispose]();
    },
  };
}

// So many at once ended the process of node:http2.
Deno.test("600 clients that come at once are served or refused, and nobody else hears of it", async () => {
  await using here = await situation();
  const { files: stranger } = await here.pki.client("sidecar-2");
  const visit = async (files: typeof here.files): Promise<number> => {
    const conn = await connectTls(here.authority.port, files);
    const client = new Http2Client(conn, "localhost");
    const { status } = await client.request(NO_SUCH);
    // Half of them leave without a word, as a process does that is killed.
    if (status === 404 && Math.random() < 0.5) conn.close();
    else client.connection.close();
    await client.done;
    return status;
  };
  const visits = Array.from({ length: 600 }, async (_, number) => {
    if (number % 6 === 0) {
      return assert.equal(await visit(stranger).catch(() => 0), 0, "a stranger is served");
    }
    // A machine that takes too long over the handshakes of all refuses some, and they come again.
    await eventually(
      `client ${number} to be served`,
      async () => await visit(here.files).catch(() => 0) === 404 || undefined,
    );
  });
  await here.goesOn();
  await Promise.all(visits);
  await here.goesOn();
  await here.logged(/"sidecar-2" is not on the list/);
});

const goAway = (last: number) => h2.numbersFrame(h2.GOAWAY, 0, last, h2.NO_ERROR);
const many = (count: number, frame: (number: number) => Buffer) =>
  Buffer.concat(Array.from({ length: count }, (_, number) => frame(number)));

// At such moments node:http2 looked for streams that it had freed.
Deno.test("a client may say good-bye at any moment", async () => {
  await using here = await situation();
  const partings: ((client: Http2Client) => Promise<void>)[] = [
    (client) => writeAll(client.conn, goAway(0)),
    (client) => writeAll(client.conn, many(50, () => goAway(0))),
    (client) => writeAll(client.conn, goAway(0x7fff_ffff)),
    async (client) => {
      const { stream } = client.start({ fields: WATCH, body: EMPTY_MESSAGE });
      await writeAll(client.conn, goAway(0));
      stream.reset(h2.CANCEL);
      await writeAll(client.conn, goAway(stream.id));
    },
    async (client) => {
      for (let i = 0; i < 60; i++) client.start({ fields: WATCH, body: EMPTY_MESSAGE });
      await writeAll(client.conn, many(60, (number) => goAway(number)));
    },
  ];
  for (let round = 0; round < 4; round++) {
    await Promise.all(partings.map(async (part) => {
      const client = await connectHttp2(here.authority.port, here.files);
      await part(client);
      if (round % 2 === 0) client.conn.close();
      else client.connection.close();
      await client.done;
    }));
  }
  await here.goesOn();
});

Deno.test("a client that floods its connection loses it, with the reason in the log", async (t) => {
  await using here = await situation();
  const floods: Record<string, [(client: Http2Client) => Promise<void>, RegExp]> = {
    "GOAWAY": [
      (client) => writeAll(client.conn, many(20_000, () => goAway(0))),
      /too many frames of no use/,
    ],
    "SETTINGS": [
      (client) => writeAll(client.conn, many(20_000, () => h2.settingsFrame([]))),
      /too many frames of no use/,
    ],
    "PING": [
      (client) =>
        writeAll(client.conn, many(20_000, () => h2.frame(h2.PING, 0, 0, Buffer.alloc(8)))),
      /too many frames of no use/,
    ],
    "RST_STREAM": [
      async (client) => {
        for (let i = 0; i < 3_000; i++) {
          client.start({ fields: WATCH, body: EMPTY_MESSAGE }).stream.reset(h2.CANCEL);
        }
        await client.done;
      },
      /too many streams are reset/,
    ],
    "a frame that is too large": [
      (client) => writeAll(client.conn, Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1])),
      /frame is too large/,
    ],
  };
  for (const [name, [flood, reason]] of Object.entries(floods)) {
    await t.step(name, async () => {
      here.authority.log.length = 0;
      const client = await connectHttp2(here.authority.port, here.files);
      assert.equal((await client.request(NO_SUCH)).status, 404, "it was served before");
      // The connection may be gone before all of it is written.
      await flood(client).catch(() => {});
      await client.done;
      assert.match(await here.logged(reason), /^warn: Disconnected a client at 127\.0\.0\.1:\d+: /);
      await here.goesOn();
    });
  }
});

Deno.test("connections that do not finish their handshakes keep nobody out", async () => {
  await using here = await situation();
  const { port } = here.authority;
  const hello = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);
  const halves = await Promise.all(Array.from({ length: 1_100 }, async (_, number) => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port });
    if (number % 2 === 0) await writeAll(conn, hello);
    return conn;
  }));
  await here.logged(/Refused a client at .*: too many are connecting/);
  await here.goesOn();
  await using client = await connectHttp2(port, here.files);
  assert.equal((await client.request(NO_SUCH)).status, 404);
  for (const conn of halves) conn.close();
  await here.goesOn();
});

Deno.test("a socket serves a thousand connections, and refuses more with a reason", async () => {
  await using authority = await serve();
  const path = authority.endpoint.slice("unix://".length);
  await using old = await authority.client();
  assert.ok((await old.remote.issueCapability(request())).granted);
  const crowd: Deno.Conn[] = [];
  // One after the other: no more may wait until they are accepted than the system has room for.
  while (crowd.length < 1_050) {
    crowd.push(
      await eventually(
        "a connection",
        () => Deno.connect({ transport: "unix", path }).catch(() => undefined),
      ),
    );
  }
  await eventually(
    "the reason in the log",
    () => authority.log.find((line) => /of the socket: 1024 connections are open/.test(line)),
  );
  assert.ok((await old.remote.issueCapability(request())).granted, "who was there is served");
  for (const conn of crowd) conn.close();
  await eventually("room again", async () => {
    await using client = await authority.client();
    return (await client.remote.issueCapability(request())).granted || undefined;
  });
});

Deno.test("a client has as many streams as it may, and not one more", async () => {
  await using here = await situation();
  await using client = await connectHttp2(here.authority.port, here.files);
  const head = (stream: { handler?: unknown }) =>
    new Promise<string>((resolve) => {
      stream.handler = {
        head: (fields: [string, string][]) => resolve(fields.find(([n]) => n === ":status")![1]),
        closed: (code: number) => resolve(`reset ${code}`),
      };
    });
  assert.equal((await client.request(NO_SUCH)).status, 404);
  const opened = Array.from({ length: 64 }, () => {
    const { stream } = client.start({ fields: WATCH, body: EMPTY_MESSAGE });
    return { stream, head: head(stream) };
  });
  assert.equal(client.connection.hasRoom, false, "the Authority has said how many there may be");
  // The codec of the test would wait; so this one goes past it.
  const { answer } = client.start({ fields: NO_SUCH });
  assert.equal((await answer).resetCode, h2.REFUSED_STREAM);
  await here.goesOn();
  opened.pop()!.stream.reset(h2.CANCEL);
  await eventually("room again", async () => {
    const { status } = await client.request(NO_SUCH);
    return status === 404 || undefined;
  });
});

// TLS is asked to let every certificate through, so that refusals can be told: not every owner.
Deno.test("whoever has a client's certificate but not its key is nobody", async () => {
  await using here = await situation();
  const certificate = await Deno.readTextFile(here.files.certPath);
  const own = new X509Certificate(certificate).publicKey.export({ type: "spki", format: "der" });
  // OpenSSL compares a key with its certificate by the public half, which is written beside it.
  const forged = Buffer.from(
    generateKeyPairSync("ec", { namedCurve: "prime256v1" }).privateKey
      .export({ type: "pkcs8", format: "der" }),
  );
  own.subarray(-65).copy(forged, forged.length - 65);
  const forgedPath = `${here.pki.path}/forged.key`;
  await Deno.writeTextFile(
    forgedPath,
    `-----BEGIN PRIVATE KEY-----\n${forged.toString("base64")}\n-----END PRIVATE KEY-----\n`,
  );
  const ask = async (key: string): Promise<string> => {
    const child = new Deno.Command("openssl", {
      args: [
        ...["s_client", "-quiet", "-no_ign_eof", "-connect", `127.0.0.1:${here.authority.port}`],
        ...["-cert", here.files.certPath, "-key", key],
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(Buffer.from("GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"));
    const [{ stdout }] = await Promise.all([
      child.output(),
      child.status,
    ]);
    return new TextDecoder().decode(stdout);
  };
  assert.match(await ask(here.files.keyPath), /^HTTP\/1\.1 404 /);
  assert.equal(await ask(forgedPath), "");
  await here.logged(/Refused a client at .*: no handshake of TLS/);
  await here.goesOn();
});

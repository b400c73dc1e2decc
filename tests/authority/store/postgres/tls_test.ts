import assert from "node:assert/strict";
import { unwrap } from "../../../../src/core/result.ts";
import { parseDatabaseUrl } from "../../../../src/authority/store/postgres/database_url.ts";
import { PostgresStore } from "../../../../src/authority/store/postgres/postgres_store.ts";
import { createAuthority, issueCertificate } from "../../../../src/pki/certificate_authority.ts";
import { DEADLINE_MS, eventually } from "../../../fixtures/deadline.ts";
import { type PostgresServer, startPostgres } from "../../../fixtures/postgres_server.ts";
import { Listener } from "../../support.ts";
import { token } from "../samples.ts";
import { KEY } from "./support.ts";

const PASSWORD = "hunter2-9c1d";
const ca = unwrap(await createAuthority("Database CA", 10));
const otherCa = unwrap(await createAuthority("Database CA", 10));

/** Ports that are free now; the server takes one. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A server that takes nothing but TLS and a password, with a certificate for `names`. */
async function tlsServer(names: readonly string[]) {
  const files = await Deno.makeTempDir({ prefix: "firma-database-" });
  const issued = unwrap(
    await issueCertificate(ca, { commonName: "database", names, purpose: "server", days: 1 }),
  );
  const port = freePort();
  const server: PostgresServer = await startPostgres({
    access: "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n",
    port,
    settings: { listen_addresses: "127.0.0.1" },
  });
  const write = async (name: string, text: string) => {
    await Deno.writeTextFile(`${server.directory}/${name}`, text);
    await server.own(name);
  };
  await write("server.crt", issued.certificate);
  await write("server.key", issued.key);
  await server.sql(`CREATE ROLE firma LOGIN SUPERUSER PASSWORD '${PASSWORD}'`);
  for (const name of ["crt", "key"]) {
    const setting = name === "crt" ? "ssl_cert_file" : "ssl_key_file";
    await server.sql(`ALTER SYSTEM SET ${setting} = '${server.directory}/server.${name}'`);
  }
  await server.sql("ALTER SYSTEM SET ssl = on");
  await server.stop("SIGINT");
  await server.start();
  await Deno.writeTextFile(`${files}/ca.crt`, ca.certificate);
  await Deno.writeTextFile(`${files}/other.crt`, otherCa.certificate);
  return {
    port,
    files,
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await Deno.remove(files, { recursive: true });
    },
  };
}

function open(url: string) {
  return PostgresStore.open({
    target: unwrap(parseDatabaseUrl(url)),
    schema: "firma",
    publisher: "p",
    signingKey: KEY,
    onNotice: (notice) => assert.fail(notice.message),
    patienceMs: DEADLINE_MS,
  });
}

Deno.test("PostgresStore talks TLS with the server that it was told of, and no other", async (t) => {
  await using server = await tlsServer(["localhost", "127.0.0.1"]);
  const url = (host: string, root: string, password = PASSWORD) =>
    `postgres://firma:${password}@${host}:${server.port}/postgres?sslmode=verify-full` +
    (root && `&sslrootcert=${server.files}/${root}.crt`);
  for (const host of ["localhost", "127.0.0.1"]) {
    await t.step(`by the name ${host}`, async () => {
      const opened = await open(url(host, "ca"));
      if (!opened.ok) assert.fail(opened.error.message);
      const store = opened.value;
      assert.equal(await store.recordToken(token("s")), "recorded");
      {
        await using lists = new Listener((signal) => store.watchRevocations(signal));
        await eventually("the revocations", () => lists.heard.length > 0 || undefined);
      }
      await store.close();
    });
  }
  const refused: Record<string, [string, RegExp]> = {
    "another certificate authority": [url("localhost", "other"), /certificate|issuer|signature/i],
    "nobody's certificate authority": [url("localhost", ""), /certificate|issuer/i],
    "a wrong password": [url("localhost", "ca", "wrong-5d2e"), /password authentication failed/],
    "no TLS": [
      url("127.0.0.1", "").replace("verify-full", "disable"),
      /no encryption|pg_hba/,
    ],
  };
  for (const [name, [text, reason]] of Object.entries(refused)) {
    await t.step(`refuses ${name}`, async () => {
      const opened = await open(text);
      assert.ok(!opened.ok);
      assert.match(opened.error.message, reason);
      assert.doesNotMatch(Deno.inspect(opened, { depth: 9 }), /hunter2|wrong-5d2e/);
    });
  }
});

Deno.test("PostgresStore refuses a certificate for another name", async () => {
  await using server = await tlsServer(["database.test"]);
  for (const host of ["localhost", "127.0.0.1"]) {
    const opened = await open(
      `postgres://firma:${PASSWORD}@${host}:${server.port}/postgres?sslmode=verify-full` +
        `&sslrootcert=${server.files}/ca.crt`,
    );
    assert.ok(!opened.ok, host);
    assert.match(opened.error.message, /altnames|not valid for|name/i);
  }
});

import assert from "node:assert/strict";
import fc from "fast-check";
import {
  describeTarget,
  parseDatabaseUrl,
} from "../../../../src/authority/store/postgres/database_url.ts";

const FULL = { caPath: undefined, client: undefined };

function parse(text: string) {
  const parsed = parseDatabaseUrl(text);
  return parsed.ok ? parsed.value : parsed.error.message;
}

Deno.test("parseDatabaseUrl() reads what libpq reads", async (t) => {
  const base = { port: 5432, user: "u", database: "d", password: undefined, tls: undefined };
  const cases: Record<string, [string, object]> = {
    "a remote server": ["postgres://u@db.test/d", { ...base, host: "db.test", tls: FULL }],
    "all parts, and a line feed": [
      "postgresql://u%40x:p%3Aw%2F@db.test:6000/d?sslmode=verify-full\n",
      { host: "db.test", port: 6000, user: "u@x", database: "d", password: "p:w/", tls: FULL },
    ],
    "a socket": ["postgres:///d?host=/run/postgresql&user=u", { ...base, host: "/run/postgresql" }],
    "a socket in the place of the host": [
      "postgres://u@%2Frun%2Fpostgresql/d",
      { ...base, host: "/run/postgresql" },
    ],
    "this machine": ["postgres://u@localhost/d", { ...base, host: "localhost" }],
    "this machine, with TLS": [
      "postgres://u@127.0.0.1/d?sslmode=verify-full&sslrootcert=/ca.crt",
      { ...base, host: "127.0.0.1", tls: { ...FULL, caPath: "/ca.crt" } },
    ],
    "an IPv6 address": ["postgres://u@[2001:db8::1]/d", {
      ...base,
      host: "2001:db8::1",
      tls: FULL,
    }],
    "the user's own database": ["postgres://u@db.test", {
      ...base,
      host: "db.test",
      database: "u",
      tls: FULL,
    }],
    "a certificate to show": [
      "postgres://u@db.test/d?sslcert=/c.crt&sslkey=/c.key",
      {
        ...base,
        host: "db.test",
        tls: { ...FULL, client: { certPath: "/c.crt", keyPath: "/c.key" } },
      },
    ],
  };
  for (const [name, [text, expected]] of Object.entries(cases)) {
    await t.step(name, () => assert.deepEqual(parse(text), expected));
  }
});

Deno.test("parseDatabaseUrl() refuses what is wrong or unsafe", async (t) => {
  const cases: Record<string, [string, RegExp]> = {
    "nothing": [" \n", /it is empty/],
    "another scheme": ["mysql://u@db.test/d", /it is not postgres/],
    "no host": ["postgres://u@/d", /names no host/],
    "no user": ["postgres://db.test/d", /names no user/],
    "several hosts": ["postgres://u@a.test,b.test/d", /not one name/],
    "port 0": ["postgres://u@db.test:0/d", /its port is none/],
    "a port that is none": ["postgres://u@db.test/d?port=http", /its port is none/],
    "half an encoding": ["postgres://u:%p@db.test/d", /percent-encoding/],
    "NUL": ["postgres://u%00@db.test/d", /NUL/],
    "an unknown parameter": ["postgres://u@db.test/d?options=-csearch_path%3Dx", /not known here/],
    "a parameter twice": ["postgres://u@db.test/d?sslmode=disable&sslmode=verify-full", /twice/],
    "no TLS to a server elsewhere": ["postgres://u@db.test/d?sslmode=disable", /not verify-full/],
    "TLS with anybody": ["postgres://u@db.test/d?sslmode=require", /not verify-full/],
    "TLS with any name": ["postgres://u@db.test/d?sslmode=verify-ca", /not verify-full/],
    "TLS perhaps, to this machine": ["postgres://u@127.0.0.1/d?sslmode=prefer", /neither disable/],
    "a name that looks like this machine": [
      "postgres://u@127.0.0.1.db.test/d?sslmode=disable",
      /not verify-full/,
    ],
    "a number that looks like this machine": [
      "postgres://u@127.1/d?sslmode=disable",
      /not verify-full/,
    ],
    "TLS on a socket": ["postgres:///d?host=/run&user=u&sslmode=verify-full", /no TLS on a unix/],
    "a relative path": ["postgres://u@db.test/d?sslrootcert=ca.crt", /not absolute/],
    "a certificate without its key": ["postgres://u@db.test/d?sslcert=/c.crt", /without the other/],
  };
  for (const [name, [text, expected]] of Object.entries(cases)) {
    await t.step(name, () => assert.match(String(parse(text)), expected));
  }
});

Deno.test("parseDatabaseUrl() tells nothing of what it refuses", () => {
  const secret = "hunter2";
  fc.assert(
    fc.property(
      fc.constantFrom("postgres://u:", "postgres://", "mysql://u:", "postgres://u@h/d?password="),
      fc.string(),
      fc.constantFrom("@db.test/d", "@db.test:99999/d", "@[", "", "@db.test/d?sslmode=require"),
      (head, middle, tail) => {
        const parsed = parseDatabaseUrl(`${head}${secret}${middle}${tail}`);
        if (!parsed.ok) assert.ok(!JSON.stringify(parsed.error).includes(secret));
        else if (parsed.value.password?.includes(secret)) {
          assert.ok(
            !describeTarget({ ...parsed.value, host: "h", database: "d" }).includes(secret),
          );
        }
      },
    ),
  );
});

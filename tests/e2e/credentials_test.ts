/** A hostile session collects everything that it can get; none of it is a real secret. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { join } from "node:path";
import { Person } from "../fixtures/cli.ts";
import { standIn } from "../fixtures/stand_in.ts";
import { standInGithub } from "../fixtures/stand_in_github.ts";
import { startUpstream, type TestUpstream } from "../fixtures/upstream.ts";

const HOSTS = {
  variable: "api.one.test",
  file: "api.two.test",
  helper: "api.three.test",
  refreshed: "api.four.test",
  app: "api.five.test",
};
/** What is hard to quote is where an encoding may be forgotten. */
const SECRETS = {
  variable: `canary-one/Q+z="vX\\4711-aBcDeFgHiJkLmNoP`,
  file: `canary-two/W+y="uY\\4712-qRsTuVwXyZaBcDeF`,
  helper: `canary-three/E+x="tZ\\4713-gHiJkLmNoPqRsTuV`,
  /** What a service gives, and what it is given for it. */
  refreshed: "canary-four/T+w=4714-wXyZaBcDeFgHiJkL",
  refresh: "canary-five/Z+v=4715-mNoPqRsTuVwXyZaB",
};
/** Stands where an agent may look, and where a search that works finds it. */
const MARKER = "marker-that-an-agent-may-see";
/** Stands in a file in every way that a secret might be written. */
const WRITTEN = `marker/Q+y="sX\\4716-zYxWvUtSrQpOnMlK`;
/** Stands in the memory of the agent's processes alone. */
const IN_MEMORY = "marker-in-the-memory-of-a-process";

/**
 * Looks everywhere, and writes what it finds to standard output: environment, processes, files, its
 * own memory, a core, every answer and every error.
 */
const COLLECT = `
ulimit -c unlimited
echo "cores: $(ulimit -c)"
echo "== environment"; env; set
echo "== processes"
for p in /proc/[0-9]*; do
  cat "$p/environ" "$p/cmdline" "$p/stat" "$p/maps" 2>&1; ls -l "$p/fd" "$p/root/" "$p/cwd/" 2>&1
done
echo "== answers"
for host in ${Object.values(HOSTS).join(" ")}; do
  curl -sSi --compressed "https://$host/{echo,status/401,hints}" 2>&1
  curl -sSi --http1.1 -H "Authorization: ${MARKER}" "https://$host/echo" 2>&1
  curl -sSi -X DELETE "https://$host/echo" 2>&1
  curl -sSi -H "Host: other.test" "https://$host/echo" 2>&1
  curl -sSi "http://$host/echo" 2>&1
done
echo "== memory"
python3 - <<'END' 2>&1
import os, re, ssl, sys, urllib.request
held = "".join(reversed("${[...IN_MEMORY].reverse().join("")}"))
for host in "${Object.values(HOSTS).join(" ")}".split():
    try:
        print(urllib.request.urlopen("https://%s/echo" % host).read())
    except Exception as error:
        print(repr(error))
sys.stdout.flush()
# Of every process that it sees, and of itself, with the answers in it.
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        memory = open("/proc/%s/mem" % process, "rb", 0)
        maps = open("/proc/%s/maps" % process).readlines()
    except OSError as error:
        print(repr(error))
        continue
    for line in maps:
        found = re.match("([0-9a-f]+)-([0-9a-f]+) rw", line)
        if not found: continue
        start, end = (int(part, 16) for part in found.groups())
        try:
            memory.seek(start)
            os.write(1, memory.read(min(end - start, 1 << 23)))
        except OSError: pass
# Its core lies in the project.
os.abort()
END
echo "== files"
find / -xdev \\( -path /proc -o -path /sys -o -path /usr -o -path /opt -o -path "/lib*" \\) -prune \\
  -o -type f -size -512k -print0 2>/dev/null | xargs -0 cat 2>/dev/null
for d in "$HOME" "$PWD" /run /tmp /var; do
  find "$d" -type f ! -name dump -size -512k -print0 2>/dev/null | xargs -0 cat 2>/dev/null
done
echo "== end"
`;

/** A secret in every way that it might have been written; a character stands for a byte. */
function spellings(secret: string): Map<string, string> {
  const bytes = Buffer.from(secret);
  const inner = (text: string) => text.slice(4, -4);
  const base64 = [0, 1, 2].map((offset) =>
    inner(Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64"))
  );
  return new Map([
    ["raw", secret],
    ["a part of it", secret.slice(0, 24)],
    ["JSON", JSON.stringify(secret).slice(1, -1)],
    ["percent", encodeURIComponent(secret)],
    ["XML", secret.replaceAll('"', "&quot;")],
    ["hex", bytes.toString("hex")],
    ["HEX", bytes.toString("hex").toUpperCase()],
    ["reversed", [...secret].reverse().join("")],
    ...base64.map((text, offset): [string, string] => [`base64 at ${offset}`, text]),
    ...base64.map((text, offset): [string, string] => [
      `base64url at ${offset}`,
      text.replaceAll("+", "-").replaceAll("/", "_"),
    ]),
    ["base64 of base64", Buffer.from(bytes.toString("base64")).toString("base64").slice(0, -8)],
    ["UTF-16", Buffer.from(secret, "utf16le").toString("latin1")],
  ]);
}

const arrived = (upstream: TestUpstream, value: string) =>
  upstream.seen.some(({ rawHeaders }) => rawHeaders.includes(value));

/** The token of the App, which goes out as a password. */
function mintedIn({ seen }: TestUpstream): string | undefined {
  const basic = seen.flatMap(({ rawHeaders }) => rawHeaders).filter((text) => /^Basic /.test(text));
  return basic.flatMap((text) => atob(text.slice(6)).match(/ghs_\w+/) ?? [])[0];
}

Deno.test("a hostile session collects everything it can, and no byte of a secret is in it", async () => {
  const upstream = await startUpstream(...Object.values(HOSTS) as [string]);
  const keyPem = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey
    .export({ type: "pkcs1", format: "pem" }) as string;
  await using github = standInGithub({ appId: "12", keyPem, nowMs: Date.now() });
  await using tokens = standIn(({ body }) =>
    new URLSearchParams(body).get("refresh_token") === SECRETS.refresh
      ? Response.json({ access_token: SECRETS.refreshed, token_type: "Bearer", expires_in: 3600 })
      : Response.json({ error: "invalid_grant" }, { status: 400 })
  );
  await using person = await Person.create();
  const address = `127.0.0.1:${upstream.tlsPort}`;
  await Deno.writeTextFile(join(person.home, "token"), SECRETS.file, { mode: 0o600 });
  await Deno.writeTextFile(join(person.home, "helper"), `#!/bin/sh\ncat "$HOME/vault"\n`, {
    mode: 0o700,
  });
  await Deno.writeTextFile(join(person.home, "vault"), SECRETS.helper, { mode: 0o600 });
  await Deno.writeTextFile(join(person.home, "refresh"), SECRETS.refresh, { mode: 0o600 });
  await Deno.writeTextFile(join(person.home, "app.pem"), keyPem, { mode: 0o600 });
  await Deno.writeFile(
    join(person.project, "notes.txt"),
    Buffer.from([...spellings(WRITTEN).values()].join("\n"), "latin1"),
  );
  const rules = Object.values(HOSTS).map((host) =>
    `[[rules]]\nhost = "${host}"\nmethod = "GET"\naction_class = "code.read"\n` +
    `[[rules]]\nhost = "${host}"\nmethod = "DELETE"\naction_class = "code.destructive"\n`
  );
  await person.configure({
    servers: Object.values(HOSTS).map((host) => ({ host, address, certificate: upstream.caPem })),
    rules: rules.join(""),
    more: `
[sidecar.credentials.variable]
provider = "environment"
variable = "ANTHROPIC_API_KEY"
hosts = ["${HOSTS.variable}"]
[sidecar.credentials.file]
provider = "file"
path = "${join(person.home, "token")}"
hosts = ["${HOSTS.file}"]
basic_user = "x-access-token"
[sidecar.credentials.helper]
provider = "command"
command = ["${join(person.home, "helper")}"]
hosts = ["${HOSTS.helper}"]
header = "x-api-key"
[sidecar.credentials.refreshed]
provider = "oauth_refresh"
token_url = "${tokens.url}/token"
client_id = "firma"
refresh_token_file = "${join(person.home, "refresh")}"
hosts = ["${HOSTS.refreshed}"]
[sidecar.credentials.app]
provider = "github_app"
app_id = "12"
app_key_file = "${join(person.home, "app.pem")}"
api_url = "${github.url}"
repository = "acme/web"
hosts = ["${HOSTS.app}"]
`,
  });
  const ran = await person.run(["sh", "-c", `exec >dump 2>&1; ${COLLECT}`], {
    // The profile of Claude would pass this on.
    env: { ANTHROPIC_API_KEY: SECRETS.variable, MARKER },
  });
  // A search for text in text is much faster than one for bytes.
  const collected = Buffer.concat([
    Buffer.from(ran.stdout + ran.stderr),
    ...[...Deno.readDirSync(person.project)].filter(({ isFile }) => isFile)
      .map(({ name }) => Deno.readFileSync(join(person.project, name))),
  ]).toString("latin1");
  assert.ok(collected.includes("== end\n"), ran.stderr);

  // The secrets were in use all the while ...
  const basic = btoa(`x-access-token:${SECRETS.file}`);
  assert.ok(arrived(upstream, `Bearer ${SECRETS.variable}`), "the variable's did not arrive");
  assert.ok(arrived(upstream, `Basic ${basic}`), "the file's did not arrive");
  assert.ok(arrived(upstream, SECRETS.helper), "the helper's did not arrive");
  assert.ok(arrived(upstream, `Bearer ${SECRETS.refreshed}`), "the service's did not arrive");
  const minted = mintedIn(upstream);
  assert.ok(minted, "the App's did not arrive");
  // ... and this search finds what is there to find: in files, however it is written there, in what
  // servers answered, and in the memory of processes.
  for (const [name, spelling] of spellings(WRITTEN)) assert.ok(collected.includes(spelling), name);
  assert.ok(collected.includes('"rawHeaders":[') && collected.includes(MARKER));
  const dump = await Deno.readFile(join(person.project, "dump"));
  assert.ok(Buffer.from(dump).includes(IN_MEMORY), "the memory was not read");
  // Where the machine's cores go elsewhere, no sandbox has them.
  const pattern = await Deno.readTextFile("/proc/sys/kernel/core_pattern");
  const cores = [...Deno.readDirSync(person.project)].filter(({ name }) => /^core\b/.test(name))
    .map(({ name }) => Buffer.from(Deno.readFileSync(join(person.project, name))));
  const isHere = pattern.startsWith("core") && collected.includes("cores: unlimited\n");
  assert.equal(cores.some((core) => core.includes(IN_MEMORY)), isHere, "the core");

  const found: string[] = [];
  const key = keyPem.split("\n")[7]!;
  for (const [label, secret] of Object.entries({ ...SECRETS, key, basic, minted })) {
    for (const [name, spelling] of spellings(secret)) {
      if (collected.includes(spelling)) found.push(`${label}: ${name}`);
    }
  }
  assert.deepEqual(found, []);

  const log = await Deno.readTextFile(person.auditLog);
  for (const secret of [...Object.values(SECRETS), basic, minted]) assert.ok(!log.includes(secret));
  const outcomes = (await person.events()).flatMap((event) =>
    event.kind === "outcome" && event.credential ? [event.credential.label] : []
  );
  assert.deepEqual([...new Set(outcomes)].sort(), Object.keys(HOSTS).sort());
  await upstream.close();
});

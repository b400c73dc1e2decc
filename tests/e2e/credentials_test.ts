/** A hostile session collects everything that it can get; none of it is a real secret. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { Person } from "../fixtures/cli.ts";
import { startUpstream, type TestUpstream } from "../fixtures/upstream.ts";

const HOSTS = { variable: "api.one.test", file: "api.two.test", helper: "api.three.test" };
/** What is hard to quote is where an encoding may be forgotten. */
const SECRETS = {
  variable: `canary-one/Q+z="vX\\4711-aBcDeFgHiJkLmNoP`,
  file: `canary-two/W+y="uY\\4712-qRsTuVwXyZaBcDeF`,
  helper: `canary-three/E+x="tZ\\4713-gHiJkLmNoPqRsTuV`,
};
/** Stands where an agent may look, and where a search that works finds it. */
const MARKER = "marker-that-an-agent-may-see";

/**
 * Looks everywhere, and writes what it finds to standard output: environment, processes, files, its
 * own memory, a core, every answer and every error.
 */
const COLLECT = `
ulimit -c unlimited
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
for host in "${Object.values(HOSTS).join(" ")}".split():
    try:
        print(urllib.request.urlopen("https://%s/echo" % host).read())
    except Exception as error:
        print(repr(error))
memory = open("/proc/self/mem", "rb", 0)
sys.stdout.flush()
for line in open("/proc/self/maps"):
    found = re.match("([0-9a-f]+)-([0-9a-f]+) rw", line)
    if not found: continue
    start, end = (int(part, 16) for part in found.groups())
    try:
        memory.seek(start)
        os.write(1, memory.read(min(end - start, 1 << 23)))
    except OSError: pass
END
echo "== files"
find / -xdev \\( -path /proc -o -path /sys -o -path /usr -o -path /opt -o -path "/lib*" \\) -prune \\
  -o -type f -size -512k -print0 2>/dev/null | xargs -0 cat 2>/dev/null
for d in "$HOME" "$PWD" /run /tmp /var; do
  find "$d" -type f ! -name dump -size -512k -print0 2>/dev/null | xargs -0 cat 2>/dev/null
done
echo "== core"
python3 -c 'import os; os.abort()' 2>&1
cat core* 2>/dev/null
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
    ["UTF-16", Buffer.from(secret, "utf16le").toString("latin1")],
  ]);
}

const arrived = (upstream: TestUpstream, value: string) =>
  upstream.seen.some(({ rawHeaders }) => rawHeaders.includes(value));

Deno.test("a hostile session collects everything it can, and no byte of a secret is in it", async () => {
  const upstream = await startUpstream(...Object.values(HOSTS) as [string]);
  await using person = await Person.create();
  const address = `127.0.0.1:${upstream.tlsPort}`;
  await Deno.writeTextFile(join(person.home, "token"), SECRETS.file, { mode: 0o600 });
  await Deno.writeTextFile(join(person.home, "helper"), `#!/bin/sh\ncat "$HOME/vault"\n`, {
    mode: 0o700,
  });
  await Deno.writeTextFile(join(person.home, "vault"), SECRETS.helper, { mode: 0o600 });
  await person.write("notes.txt", MARKER);
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
  assert.ok(collected.includes("== end"), ran.stderr);

  // The secrets were in use all the while ...
  const basic = btoa(`x-access-token:${SECRETS.file}`);
  assert.ok(arrived(upstream, `Bearer ${SECRETS.variable}`), "the variable's did not arrive");
  assert.ok(arrived(upstream, `Basic ${basic}`), "the file's did not arrive");
  assert.ok(arrived(upstream, SECRETS.helper), "the helper's did not arrive");
  // ... and this search finds what is there to find: in files, and in what servers answered.
  assert.ok(collected.includes(MARKER));
  assert.ok(collected.includes('"rawHeaders":['));

  const found: string[] = [];
  for (const [label, secret] of Object.entries({ ...SECRETS, basic })) {
    for (const [name, spelling] of spellings(secret)) {
      if (collected.includes(spelling)) found.push(`${label}: ${name}`);
    }
  }
  assert.deepEqual(found, []);

  const log = await Deno.readTextFile(person.auditLog);
  for (const secret of [...Object.values(SECRETS), basic]) assert.ok(!log.includes(secret));
  const outcomes = (await person.events()).flatMap((event) =>
    event.kind === "outcome" && event.credential ? [event.credential.label] : []
  );
  assert.deepEqual([...new Set(outcomes)].sort(), ["file", "helper", "variable"]);
  await upstream.close();
});

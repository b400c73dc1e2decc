import assert from "node:assert/strict";
import { Broker } from "../../src/broker/broker.ts";
import { groupEnder } from "../../src/broker/process_groups.ts";
import { ProcessWatch } from "../../src/broker/process_watch.ts";
import type { CredentialSource } from "../../src/config/keys/credentials/kinds.ts";
import type { CredentialConfig } from "../../src/config/keys/credentials/credential.ts";
import { keyringArguments } from "../../src/broker/providers/keyring.ts";
import { unwrap } from "../../src/core/result.ts";
import { eventually } from "../fixtures/deadline.ts";
import { credential, needOf } from "./_credential.ts";
import { runs } from "./_runs.ts";

const SECRET = "raw-secret-of-a-test";

function obtain(
  source: CredentialSource,
  env: Readonly<Record<string, string>> = {},
  special: Partial<CredentialConfig> = {},
) {
  return new Broker({
    credentials: [credential("a", source, special)],
    variable: (name) => env[name],
  }).handOut(needOf("a"));
}

async function refusal(...args: Parameters<typeof obtain>): Promise<string> {
  const outcome = await obtain(...args);
  assert.ok(!outcome.ok, "a credential was handed out");
  assert.ok(!JSON.stringify(outcome.error).includes(SECRET), "the error has the secret");
  return outcome.error.message;
}

const variable = { kind: "environment", settings: { variable: "KEY" } } as const;

type Helper = Extract<CredentialSource, { readonly kind: "command" }>;

/** A helper that runs `script`. */
function command(script: string, special: Partial<Helper["settings"]> = {}): Helper {
  const settings = {
    command: ["/bin/sh", "-c", script],
    output: "raw" as const,
    env_passthrough: [],
    max_output: 65_536,
  };
  return { kind: "command", settings: { ...settings, ...special } };
}

Deno.test("environment provider hands out the variable, and says when there is none", async () => {
  const { headers, secrets } = unwrap(await obtain(variable, { KEY: SECRET }));
  assert.deepEqual(headers, [["authorization", `Bearer ${SECRET}`]]);
  assert.deepEqual(secrets, [SECRET]);
  assert.match(await refusal(variable), /there is no variable "KEY"/);
});

Deno.test("a secret is written as its credential says; what is made of it counts as secret, too", async () => {
  const form = { header: "authorization", prefix: "", basicUser: "x-access-token" };
  const { headers, secrets } = unwrap(await obtain(variable, { KEY: SECRET }, { form }));
  const basic = btoa(`x-access-token:${SECRET}`);
  assert.deepEqual(headers, [["authorization", `Basic ${basic}`]]);
  assert.deepEqual(secrets, [SECRET, basic]);
});

Deno.test("a secret that would break out of its header, or is none, is refused", async () => {
  for (
    const value of [
      "",
      "\n",
      "short",
      "two\r\nx-evil: lines-of-it",
      "not\0printable!",
      "ümlautümlaut",
    ]
  ) {
    await refusal(variable, { KEY: value });
  }
  const { secrets } = unwrap(await obtain(variable, { KEY: `${SECRET}\n` }));
  assert.deepEqual(secrets, [SECRET], "the line feed at the end is no part of it");
});

Deno.test("file provider reads a private file, and nothing that others can read", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/token`;
  const file = { kind: "file", settings: { path } } as const;
  await Deno.writeTextFile(path, `${SECRET}\n`, { mode: 0o600 });
  assert.deepEqual(unwrap(await obtain(file)).secrets, [SECRET]);

  for (const mode of [0o640, 0o604, 0o620, 0o602, 0o610]) {
    await Deno.chmod(path, mode);
    assert.match(await refusal(file), /others can read/, mode.toString(8));
  }
  await Deno.chmod(path, 0o600);
  await Deno.symlink(path, `${dir}/link`);
  const link = { kind: "file", settings: { path: `${dir}/link` } } as const;
  assert.match(await refusal(link), /not a regular file/);
  assert.match(await refusal({ kind: "file", settings: { path: dir } }), /not a regular file/);
  assert.match(
    await refusal({ kind: "file", settings: { path: `${dir}/none` } }),
    /does not exist/,
  );
  await Deno.writeFile(path, new Uint8Array([0xff, 0xfe, 0x41]));
  assert.match(await refusal(file), /is not text/);
  await Deno.remove(dir, { recursive: true });
});

Deno.test("command provider hands out what a helper prints, with its end", async () => {
  assert.deepEqual(unwrap(await obtain(command(`echo ${SECRET}`))).secrets, [SECRET]);
  const printed = (more: string) =>
    command(`echo '{"value": "${SECRET}"${more}}'`, { output: "json" });
  const plain = unwrap(await obtain(printed("")));
  assert.equal(plain.expiresAtMs, undefined);
  const at = unwrap(await obtain(printed(', "expires_at": "2999-01-01T00:00:00Z"')));
  assert.equal(at.expiresAtMs, Date.parse("2999-01-01T00:00:00Z"));
  const before = Date.now();
  const within = unwrap(await obtain(printed(', "expires_in": 3600')));
  assert.ok(
    within.expiresAtMs! >= before + 3_600_000 && within.expiresAtMs! <= Date.now() + 3_600_000,
  );
});

Deno.test("command provider believes nothing else that a helper does", async () => {
  const json = (text: string) => command(`echo '${text}'`, { output: "json" });
  const cases: [Parameters<typeof obtain>[0], RegExp][] = [
    [command(`echo ${SECRET}; exit 3`), /ended with exit code 3/],
    [command(`echo ${SECRET} >&2`), /its source is empty/],
    [command(`yes ${SECRET}`, { max_output: 1_000 }), /printed more than 1000 bytes/],
    [command(`printf '${SECRET}\\377'`), /is not text/],
    [json(SECRET), /printed no JSON/],
    [json(`["${SECRET}"]`), /no "value"/],
    [json(`{"value": "${SECRET}", "expires_at": "soon"}`), /neither a time/],
    [json(`{"value": "${SECRET}", "expires_at": "2001-01-01T00:00:00Z"}`), /has expired/],
  ];
  for (const [source, state] of cases) assert.match(await refusal(source), state);
  const missing = command("", { command: ["/nonexistent/helper"] });
  assert.match(await refusal(missing), /does not exist/);
});

Deno.test("command provider ends a helper that hangs, even if what that started goes on", async () => {
  const hangs = command("sleep 1000 & sleep 1000");
  assert.match(await refusal(hangs, {}, { timeoutMs: 50 }), /took/);
});

Deno.test("command provider ends with a helper what that has started", async () => {
  const home = await Deno.makeTempDir();
  const begin = `(trap "" HUP TERM; sleep 600 & echo $! >$HOME/grandchild; wait) &
while [ ! -s $HOME/grandchild ]; do sleep 0.01; done`;
  for (const [rest, timeoutMs] of [["wait", 2_000], [`yes ${SECRET}`, 60_000]] as const) {
    const watch = new ProcessWatch(groupEnder());
    const outcome = await new Broker({
      credentials: [credential("a", command(`${begin}\n${rest}`), { timeoutMs })],
      variable: (name) => ({ HOME: home, PATH: "/usr/bin:/bin" })[name],
      notify: (notice) => watch.hear(notice),
    }).handOut(needOf("a"));
    assert.ok(!outcome.ok, "a credential was handed out");
    const grandchild = Number(await Deno.readTextFile(`${home}/grandchild`));
    assert.ok(grandchild > 1);
    await eventually("the end of the grandchild", () => !runs(grandchild) || undefined);
    await Deno.remove(`${home}/grandchild`);
  }
  await Deno.remove(home, { recursive: true });
});

Deno.test("command provider tells a helper what it needs of the environment, and nothing else", async () => {
  const helper = command("env | sort | tr '\\n' ' '; pwd", { env_passthrough: ["OP_TOKEN"] });
  const env = {
    HOME: "/home/ada",
    PATH: "/bin:/usr/bin",
    OP_TOKEN: "t",
    OTHER: "o",
    LD_PRELOAD: "x",
  };
  const { secrets } = unwrap(await obtain(helper, env));
  const seen = secrets[0]!.split(" ").filter((word) => !/^(PWD|_|SHLVL|OLDPWD)=/.test(word));
  assert.deepEqual(seen, ["HOME=/home/ada", "OP_TOKEN=t", "PATH=/bin:/usr/bin", "/"]);
});

Deno.test("keyring provider asks secret-tool, or security on macOS, by service and account", async () => {
  const dir = await Deno.makeTempDir();
  const program = `${dir}/secret-tool`;
  await Deno.writeTextFile(
    program,
    `#!/bin/sh\n[ "$*" = "lookup service firma account a" ] && printf ${SECRET}\n`,
    {
      mode: 0o755,
    },
  );
  const entry = (account: string) =>
    ({ kind: "keyring", settings: { service: "firma", account, program } }) as const;
  assert.deepEqual(unwrap(await obtain(entry("a"))).secrets, [SECRET]);
  assert.match(await refusal(entry("b")), /ended with exit code 1/);
  assert.deepEqual(keyringArguments("/usr/bin/security", "firma", "a"), [
    ...["find-generic-password", "-w", "-s", "firma", "-a", "a"],
  ]);
  await Deno.remove(dir, { recursive: true });
});

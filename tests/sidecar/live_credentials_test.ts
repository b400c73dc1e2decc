import assert from "node:assert/strict";
import { askControl } from "../../src/daemon/control_client.ts";
import { readConfigFile } from "../../src/config/load.ts";
import { recordTrust } from "../../src/config/trust.ts";
import { unwrap } from "../../src/core/result.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { eventually } from "../fixtures/deadline.ts";
import { trust } from "../fixtures/trust.ts";
import type { SeenRequest } from "../fixtures/upstream.ts";
import { HOST, Rig, type RigProject, type RigSession } from "./rig.ts";

const A = "the-first-secret-of-all";
const B = "another-secret-than-that";
const IN_FORCE = /^Credentials that are in force now: /;

/** The credential of the host; `path` is where its secret is. */
const credential = (path: string, more = "") => `
[sidecar.credentials.code]
provider = "file"
path = "${path}"
hosts = ["${HOST}"]
env = ["CODE_TOKEN"]
${more}
`;

/** A Sidecar whose credential can be edited, with what it said before the edit left out. */
async function start(more: string, options: RigProject = {}) {
  const rig = await Rig.start({
    more,
    prepare: async (dir) => {
      await Deno.writeTextFile(`${dir}/a`, A, { mode: 0o600 });
      await Deno.writeTextFile(`${dir}/b`, B, { mode: 0o600 });
    },
    ...options,
  });
  const file = `${rig.dir}/firma.toml`;
  const head = (await Deno.readTextFile(file)).replace(more, "");
  const env = { XDG_DATA_HOME: `${rig.dir}/data` };
  let seen = 0;
  return {
    rig,
    file,
    env,
    async write(more: string) {
      await Deno.writeTextFile(`${file}.new`, head + more);
      await Deno.rename(`${file}.new`, file);
    },
    trust: () => trust(file, env),
    /** What is in force after the next change. */
    async inForce(): Promise<string> {
      const said = await eventually("the change", () => rig.notices(IN_FORCE)[seen]);
      seen++;
      return said.replace(IN_FORCE, "");
    },
    async [Symbol.asyncDispose]() {
      await rig[Symbol.asyncDispose]();
    },
  };
}

/** The values of `authorization` in each request that came since the first `from`. */
function authorizations(seen: readonly SeenRequest[], from = 0): string[] {
  return seen.slice(from).map(({ rawHeaders }) =>
    rawHeaders.flatMap((word, at) =>
      at % 2 === 0 && word.toLowerCase() === "authorization" ? [rawHeaders[at + 1]!] : []
    ).join(", ")
  );
}

async function brokersOf(sidecar: number): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of Deno.readDir("/proc")) {
    const stat = /^\d+$/.test(name) &&
      await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    if (!stat || Number(/\) \S (\d+)/.exec(stat)?.[1]) !== sidecar) continue;
    const words = await Deno.readTextFile(`/proc/${name}/cmdline`).catch(() => "");
    if (words.includes("__broker")) found.push(Number(name));
  }
  return found;
}

/** Asks for the same again and again, a hundred calls at a time. */
async function callsWhile(session: RigSession, change: () => Promise<void>): Promise<void> {
  let isOver = false;
  const calling = (async () => {
    const many = ["--parallel", "--parallel-max", "100", "--parallel-immediate"];
    while (!isOver) await session.curl("/echo?n=[1-100]", ...many);
  })();
  try {
    await change();
  } finally {
    isOver = true;
    await calling;
  }
}

Deno.test("a credential is another one, and gone, while its session runs", async () => {
  await using subject = await start(credential("a"));
  const { rig, write } = subject;
  const { upstream } = rig;
  const session = await rig.session();
  const held = session.environment.CODE_TOKEN!;
  const last = () => authorizations(upstream.seen).at(-1);
  assert.equal((await session.curl("/echo")).status, 200);
  assert.equal(last(), `Bearer ${A}`);

  await write(credential("b"));
  // Attack: a program of the host brings a credential of its own.
  await eventually("word of it", () => rig.notices(/nobody trusts it/)[0]);
  assert.equal((await session.curl("/echo")).status, 200);
  assert.equal(last(), `Bearer ${A}`);
  subject.trust();
  assert.equal(await subject.inForce(), "code changed");
  assert.equal((await brokersOf(rig.pid)).length > 0, true);
  const own = ["--header", `Authorization: Bearer ${held}`];
  for (const args of [[], own]) {
    assert.equal((await session.curl("/echo", ...args)).status, 200);
    assert.equal(last(), `Bearer ${B}`);
  }
  // What was handed out once is masked for as long as the session lasts.
  const shown = await session.curl("/echo", "--header", `X-Seen: ${A} ${B}`);
  assert.ok(!shown.body.includes(A) && !shown.body.includes(B), shown.body);
  const next = await rig.session();
  assert.notEqual(next.environment.CODE_TOKEN, held);

  const count = upstream.seen.length;
  await write("");
  subject.trust();
  assert.equal(await subject.inForce(), "code removed");
  await eventually(
    "the last broker to end",
    async () => (await brokersOf(rig.pid)).length === 0 || undefined,
  );
  const refused = await session.curl("/echo", ...own);
  assert.equal(refused.reason, "PlaceholderRefused");
  assert.equal(upstream.seen.length, count);
  assert.equal((await session.curl("/echo")).status, 200);
  assert.equal(last(), "", "there is no credential for it any more");
  const after = await session.curl("/echo", "--header", `X-Seen: ${A}`);
  assert.ok(!after.body.includes(A), after.body);
  assert.equal((await rig.session()).environment.CODE_TOKEN, undefined);

  const recorded = (await rig.events()).filter((event) => event.kind === "config");
  assert.equal(recorded[0]?.change, "untrusted");
  const applied = recorded.filter(({ change }) => change === "applied");
  assert.deepEqual(
    applied.map(({ change, keys, credentials }) => ({ change, keys, credentials })),
    [
      {
        change: "applied",
        keys: ["sidecar.credentials"],
        credentials: { added: [], changed: ["code"], removed: [] },
      },
      {
        change: "applied",
        keys: ["sidecar.credentials"],
        credentials: { added: [], changed: [], removed: ["code"] },
      },
    ],
  );
  const log = await Deno.readTextFile(rig.auditFile);
  assert.ok(![A, B].some((secret) => (log + JSON.stringify(rig.lines)).includes(secret)));
  assert.equal(rig.notices(/starts again/).length, 0, "no call was broken off for it");
});

Deno.test("a Sidecar that lasts takes on its first credential, and refuses what cannot be one", async () => {
  await using subject = await start("", { lasts: true });
  const { rig, file } = subject;
  const session = await rig.session();
  assert.equal((await session.curl("/echo")).status, 200);
  assert.equal(authorizations(rig.upstream.seen).at(-1), "");
  await subject.write(credential("a"));
  subject.trust();
  assert.equal(await subject.inForce(), "code added");
  assert.equal((await session.curl("/echo")).status, 200);
  assert.equal(authorizations(rig.upstream.seen).at(-1), `Bearer ${A}`);

  // Attack: a helper and a secret where agents may write.
  const outside = await Deno.makeTempDir();
  const broken = credential("a", `action_class = ["code.read"]`);
  const faults: [string, RegExp][] = [
    [broken, /firma\.toml:\d+:1: .*action_class.*action_classes/],
    [credential(`${outside}/a`), /Cannot use "\/.*\/a" in sessions that run/],
    [
      `${credential("a")}\n[sidecar.credentials.other]\nprovider = "command"\n` +
      `command = ["${outside}/helper"]\nhosts = ["other.test"]\n`,
      /Cannot use "\/.*\/helper" in sessions that run/,
    ],
  ];
  for (const [text, expected] of faults) {
    await subject.write(text);
    const digest = sha256(await Deno.readTextFile(file));
    // What is not valid nobody can trust with `firma trust`.
    unwrap(recordTrust(unwrap(readConfigFile(file)), [], "command", subject.env));
    const applied = await askControl(`${rig.dir}/run/control.sock`, {
      method: "POST",
      path: "/v1/config",
      body: { config_digest: digest },
    });
    assert.ok(!applied.ok);
    assert.match([applied.error.message, ...rig.notices(/is refused/)].join(), expected);
    assert.equal((await session.curl("/echo")).status, 200);
    assert.equal(authorizations(rig.upstream.seen).at(-1), `Bearer ${A}`);
  }

  // The same text, and another secret in the same file.
  await subject.write(credential("a"));
  subject.trust();
  await Deno.writeTextFile(`${rig.dir}/a`, B);
  const renewed = await askControl(`${rig.dir}/run/control.sock`, {
    method: "POST",
    path: "/v1/config",
    body: { config_digest: sha256(await Deno.readTextFile(file)), renewed: ["code"] },
  });
  assert.ok(renewed.ok, JSON.stringify(renewed));
  assert.equal((await session.curl("/echo")).status, 200);
  assert.equal(authorizations(rig.upstream.seen).at(-1), `Bearer ${B}`);
  await Deno.remove(outside, { recursive: true });
});

Deno.test("of calls under way while credentials change, none leaves with another or without", async () => {
  const often = `refresh = "1ms"`; // each call asks the broker
  await using subject = await start(credential("a", often));
  const { rig } = subject;
  const session = await rig.session();
  let handedOver = 0;
  await callsWhile(session, async () => {
    await eventually("calls", () => rig.upstream.seen.length > 50 || undefined);
    await subject.write(credential("b", often));
    subject.trust();
    assert.equal(await subject.inForce(), "code changed");
    handedOver = rig.upstream.seen.length;
    await eventually("more", () => rig.upstream.seen.length > handedOver + 200 || undefined);
  });
  const sent = authorizations(rig.upstream.seen);
  assert.deepEqual(new Set(sent), new Set([`Bearer ${A}`, `Bearer ${B}`]));
  // What left before the change was reported may arrive a moment after.
  assert.ok(!sent.slice(handedOver + 100).includes(`Bearer ${A}`));

  // Whatever ends brokers meanwhile.
  const from = rig.upstream.seen.length;
  await callsWhile(session, async () => {
    await subject.write(credential("a", often));
    subject.trust();
    const changed = subject.inForce();
    let isOver = false;
    const killing = (async () => {
      for (let kills = 0; !isOver && kills < 5; kills++) {
        for (const pid of await brokersOf(rig.pid)) Deno.kill(pid, "SIGKILL");
        await eventually(
          "another broker",
          async () => isOver || (await brokersOf(rig.pid)).length > 0 || undefined,
        );
      }
    })();
    assert.equal(await changed, "code changed");
    isOver = true;
    await killing;
  });
  await eventually(
    "the credential",
    async () => (await session.curl("/echo")).status === 200 || undefined,
  );
  const after = authorizations(rig.upstream.seen, from);
  assert.equal(after.at(-1), `Bearer ${A}`);
  assert.ok(after.every((value) => value === `Bearer ${A}` || value === `Bearer ${B}`));
});

import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { packet } from "../../../src/mapping/decoders/git_pkt_line.ts";
import { parsePushCommands } from "../../../src/mapping/decoders/git_push_commands.ts";
import { gitReceivePack } from "../../../src/mapping/decoders/git_receive_pack.ts";
import { GitRepository } from "./git_repositories.ts";
import { decoded, MALFORMED } from "./support.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const ZERO = "0".repeat(40);
const CAPABILITIES = "\0 report-status push-cert agent=git/2.39\n";

const text = (bytes: string) => new TextEncoder().encode(bytes);

function body(lines: readonly (string | Uint8Array)[], rest = "0000"): Uint8Array {
  const packets = lines.map((line) => packet(typeof line === "string" ? text(line) : line));
  return new Uint8Array([...packets.flatMap((bytes) => [...bytes]), ...text(rest)]);
}

const HEAD = [
  "certificate version 0.1\n",
  "pusher Ada <ada@firma.test> 1800000000 +0000\n",
  "pushee https://github.com/acme/rocket.git\n",
  "nonce 1800000000-abc\n",
];
const SIGNATURE = [
  "-----BEGIN SSH SIGNATURE-----\n",
  "U1NIU0lHAAAAAQAAADMAAAAL\n",
  "-----END SSH SIGNATURE-----\n",
];
const COMMANDS = [`${A} ${B} refs/heads/main\n`, `${A} ${ZERO} refs/heads/old\n`];

interface Changes {
  readonly first?: readonly (string | Uint8Array)[];
  readonly head?: readonly string[];
  readonly commands?: readonly (string | Uint8Array)[];
  readonly signature?: readonly (string | Uint8Array)[];
  readonly last?: readonly (string | Uint8Array)[];
}

function certificate(changes: Changes = {}): Uint8Array {
  const { first = [], head = HEAD, commands = COMMANDS, signature = SIGNATURE } = changes;
  const start = [...first, `push-cert${CAPABILITIES}`, ...head, "\n", ...commands];
  return body([...start, ...signature, ...changes.last ?? ["push-cert-end\n"]]);
}

function push(bytes: Uint8Array) {
  return decoded(gitReceivePack, {
    url: "https://github.com/acme/rocket.git/git-receive-pack",
    headers: [["content-type", "application/x-git-receive-pack-request"]],
    body: bytes,
    actionClass: "code.write",
  });
}

function refs(bytes: Uint8Array): unknown {
  const found = push(bytes);
  if (typeof found === "string") return found;
  return found.map(([name, { git_ref, git_operation }]) => [name, git_ref, git_operation]);
}

const BOTH = [
  ["code.write", "refs/heads/main", "update"],
  ["code.destructive", "refs/heads/old", "delete"],
];

Deno.test("gitReceivePack() reads the commands of a signed push from its certificate", () => {
  assert.deepEqual(refs(certificate()), BOTH);
  assert.deepEqual(refs(certificate({ first: [`shallow ${A}\n`] })), BOTH);
  for (const kind of ["PGP SIGNATURE", "PGP MESSAGE", "SIGNED MESSAGE"]) {
    const signature = [`-----BEGIN ${kind}-----\n`, "\n", "abc=\n", `-----END ${kind}-----\n`];
    assert.deepEqual(refs(certificate({ signature })), BOTH, kind);
  }
});

Deno.test("gitReceivePack() tells policies the push options of a certificate", () => {
  const found = push(certificate({ head: [...HEAD, "push-option ci.skip\n"] }));
  assert.ok(typeof found !== "string");
  assert.deepEqual(found[0]![1].git_push_options, ["ci.skip"]);
});

// Attack: a push that the server reads otherwise than firma does.
const REFUSED: Record<string, Uint8Array> = {
  "commands before the certificate": certificate({ first: [`${A} ${B} refs/heads/feature\n`] }),
  "commands after the certificate": certificate({
    last: ["push-cert-end\n", `${A} ${B} refs/heads/feature\n`],
  }),
  "two certificates": body([
    ...["push-cert\n", ...HEAD, "\n", ...COMMANDS, ...SIGNATURE, "push-cert-end\n"],
    ...["push-cert\n", ...HEAD, "\n", ...COMMANDS, ...SIGNATURE, "push-cert-end\n"],
  ]),
  "no end": certificate({ last: [] }),
  "no signature": certificate({ signature: [] }),
  "no commands": certificate({ commands: [] }),
  "commands after the signature": certificate({ last: [COMMANDS[0]!, "push-cert-end\n"] }),
  "a second signature, which ends the commands for git": certificate({
    last: [...COMMANDS, ...SIGNATURE, "push-cert-end\n"],
  }),
  "a signature of a kind that git does not know": certificate({
    signature: ["-----BEGIN FOO-----\n", "x\n"],
  }),
  "a header that is not known": certificate({ head: [...HEAD, "force yes\n"] }),
  "two lines in one packet": certificate({ commands: [COMMANDS.join("")] }),
  "a line in two packets": certificate({ commands: [`${A} ${B} `, "refs/heads/main\n"] }),
  "a NUL, behind which git does not look": certificate({
    commands: [`${A} ${B} refs/heads/feature\0\n`],
  }),
  "a line that is not UTF-8": certificate({
    signature: [...SIGNATURE, new Uint8Array([0xff, 0x0a])],
  }),
  "a blank line among the commands": certificate({ commands: [COMMANDS[0]!, "\n", COMMANDS[1]!] }),
  "a name that is no ref": certificate({ commands: [`${A} ${B} HEAD\n`] }),
  "a mark that is nearly one": body([`push-cert2${CAPABILITIES}`, ...HEAD, "\n", ...COMMANDS]),
  "more options than anybody needs": certificate({
    head: [...HEAD, ...Array.from({ length: 17 }, (_, i) => `push-option o${i}\n`)],
  }),
};
for (const [what, bytes] of Object.entries(REFUSED)) {
  Deno.test(`gitReceivePack() refuses a signed push with ${what}`, () => {
    assert.equal(refs(bytes), MALFORMED);
  });
}

Deno.test("parsePushCommands() finds no command in a certificate that is not in its text", () => {
  const part = fc.constantFrom(
    ...HEAD,
    "\n",
    ...COMMANDS,
    ...SIGNATURE,
    "push-cert-end\n",
    "push-cert\n",
  );
  fc.assert(fc.property(fc.array(part, { maxLength: 24 }), (lines) => {
    const parsed = parsePushCommands(body([`push-cert${CAPABILITIES}`, ...lines]));
    if (!parsed.ok) return;
    // As git does: the commands are what stands between the first blank line and the last signature.
    const all = lines.slice(0, lines.indexOf("push-cert-end\n")).join("");
    const start = all.indexOf("\n\n") + 2;
    const end = all.lastIndexOf("-----BEGIN");
    const expected = all.slice(start, end).split("\n").filter((line) => line !== "");
    const found = parsed.value.commands.map(({ oldId, newId, ref }) => `${oldId} ${newId} ${ref}`);
    assert.deepEqual(found, expected);
  }));
});

/** Signs like a program that git calls, without keys. */
const SIGNER = `#!/bin/sh
cat >/dev/null
printf '[GNUPG:] SIG_CREATED x\\n' >&2
printf -- '-----BEGIN PGP SIGNATURE-----\\n\\niQEzBAABCAAdFiEE\\n-----END PGP SIGNATURE-----\\n'
`;

Deno.test("gitReceivePack() reads what git itself sends as a signed push", async () => {
  await using work = await GitRepository.create();
  await using server = await GitRepository.create();
  await server.git(["config", "receive.certNonceSeed", "seed"]);
  const first = await work.commit("one");
  const second = await work.commit("two", first);
  await work.git(["push", "--quiet", server.path, `${first}:refs/heads/main`]);
  const sent = join(server.path, "sent");
  const script = async (name: string, text: string) => {
    const path = join(server.path, name);
    await Deno.writeTextFile(path, text, { mode: 0o755 });
    return path;
  };
  const program = await script("sign", SIGNER);
  const receive = await script("receive", `#!/bin/sh\ntee '${sent}' | git receive-pack "$@"\n`);
  await work.git([
    ...["-c", `gpg.program=${program}`, "-c", "user.signingKey=ada"],
    ...["push", "--quiet", "--signed=yes", `--receive-pack=${receive}`, server.path],
    ...[`${second}:refs/heads/main`, `${first}:refs/heads/feature`],
  ]);
  const found = push(await Deno.readFile(sent));
  assert.ok(typeof found !== "string", String(found));
  const told = found.map(([name, { git_ref, git_operation, git_forced }]) =>
    [name, git_ref, git_operation, git_forced].join(" ")
  );
  // The pack behind the certificate proves that no commit is lost.
  assert.deepEqual(told.sort(), [
    "code.write refs/heads/feature create false",
    "code.write refs/heads/main update false",
  ]);
});

import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";
import { join } from "node:path";
import { checksums, installer } from "../../scripts/release.ts";
import { minisign, publicKeyText } from "../../scripts/releasing/minisign.ts";
import { newSigningKey } from "../../src/pki/signing_key.ts";
import { TestCa } from "../fixtures/test_ca.ts";

const PROGRAM = '#!/bin/sh\n[ "$1" = version ] && echo "firma 9.9.9 (test)"\n';
const TARGETS: Record<string, string> = {
  "linux x86_64": "x86_64-unknown-linux-gnu",
  "linux aarch64": "aarch64-unknown-linux-gnu",
  "darwin x86_64": "x86_64-apple-darwin",
  "darwin aarch64": "aarch64-apple-darwin",
};
const ASSET = `firma-${TARGETS[`${Deno.build.os} ${Deno.build.arch}`]}`;

const KEY = createPrivateKey(newSigningKey().privatePem);
const ANOTHER = createPrivateKey(newSigningKey().privatePem);
const SCRIPT = installer(await Deno.readTextFile("scripts/install.sh"), publicKeyText(KEY));
const SHELLS = ["dash", "bash", "busybox sh"];

/** The files of a release, signed. */
function released(version: string, program: string, key = KEY): Record<string, string> {
  const bytes = new TextEncoder().encode(program);
  const sums = checksums(new Map([[ASSET, bytes]]), version);
  const signature = minisign(key, new TextEncoder().encode(sums), `firma ${version}`);
  return { [ASSET]: program, SHA256SUMS: sums, "SHA256SUMS.minisig": signature };
}

/** A home directory, and releases in a directory beside it. */
class Machine implements AsyncDisposable {
  readonly #base: string;
  readonly home: string;
  readonly releases: string;

  private constructor(base: string) {
    this.#base = base;
    this.home = join(base, "home of ada");
    this.releases = join(base, "releases");
  }

  static async create(): Promise<Machine> {
    const machine = new Machine(await Deno.makeTempDir({ prefix: "firma-install-" }));
    await Deno.mkdir(machine.home);
    return machine;
  }

  /** Publishes a release, also as the latest. */
  async publish(version = "v9.9.9", files = released(version, PROGRAM)): Promise<void> {
    for (const path of ["latest/download", `download/${version}`]) {
      const directory = join(this.releases, path);
      await Deno.mkdir(directory, { recursive: true });
      for (const [name, text] of Object.entries(files)) {
        await Deno.writeTextFile(join(directory, name), text);
      }
    }
  }

  /** Runs the script, piped into a shell as the head of the script says. */
  async install(
    args: readonly string[] = ["--base-url", `file://${this.releases}`],
    env: Readonly<Record<string, string>> = {},
    { script = SCRIPT, shell = "sh" } = {},
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const [program, ...words] = shell.split(" ");
    const child = new Deno.Command(program!, {
      args: [...words, "-s", "--", ...args],
      cwd: this.home,
      clearEnv: true,
      env: { HOME: this.home, PATH: "/usr/local/bin:/usr/bin:/bin", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script));
    await writer.close();
    const { code, stdout, stderr } = await child.output();
    const text = new TextDecoder();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  }

  /** What is in a directory of the home; nothing where there is none. */
  async list(path = ".local/bin"): Promise<string[]> {
    try {
      return (await Array.fromAsync(Deno.readDir(join(this.home, path)))).map(({ name }) => name);
    } catch {
      return [];
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#base, { recursive: true });
  }
}

Deno.test("scripts/install.sh installs the latest release for the current user", async () => {
  for (const shell of SHELLS) {
    await using machine = await Machine.create();
    await machine.publish();
    const { code, stdout, stderr } = await machine.install(undefined, {}, { shell });
    assert.deepEqual([code, stdout], [0, ""], stderr);
    const program = join(machine.home, ".local/bin/firma");
    assert.equal((await Deno.stat(program)).mode! & 0o777, 0o755);
    assert.ok(stderr.includes(`installed firma 9.9.9 (test) as ${program}`), stderr);
    assert.match(stderr, /is not on your PATH; add this/);
    assert.deepEqual(await machine.list(), ["firma"]);
    const removed = await machine.install(["--uninstall"], {}, { shell });
    assert.equal(removed.code, 0, removed.stderr);
    assert.ok(removed.stderr.includes(`removed ${program}`), removed.stderr);
    assert.deepEqual(await machine.list(), []);
    assert.equal((await machine.install(["--uninstall"], {}, { shell })).code, 1);
  }
});

Deno.test("scripts/install.sh installs the release and to the place that it is told", async () => {
  await using machine = await Machine.create();
  await machine.publish("v1.2.0");
  const base = ["--base-url", `file://${machine.releases}/`];
  const there = await machine.install([...base, "--version", "v1.2.0", "--prefix", "tools"]);
  assert.equal(there.code, 0, there.stderr);
  assert.deepEqual(await machine.list("tools/bin"), ["firma"]);
  const PATH = `${machine.home}/.local/bin:/usr/bin:/bin`;
  const named = await machine.install(base, { FIRMA_VERSION: "1.2.0", PATH });
  assert.equal(named.code, 0, named.stderr);
  assert.doesNotMatch(named.stderr, /PATH/);
  const missing = await machine.install([...base, "--version", "v1.3.0"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /Cannot fetch file:\S+v1\.3\.0\S+: there may be no such release/);
});

// Attack: somebody who can write where releases lie, but has not the key.
Deno.test("scripts/install.sh installs nothing that the key did not sign", async () => {
  const evil = released("v1.0.0", "#!/bin/sh\ntouch hacked\n");
  const good = released("v1.0.0", PROGRAM);
  const foreign = released("v1.0.0", "#!/bin/sh\ntouch hacked\n", ANOTHER);
  const lines = (text: string) => text.split("\n");
  const renamed = lines(foreign["SHA256SUMS.minisig"]!);
  const ours = Uint8Array.fromBase64(lines(good["SHA256SUMS.minisig"]!)[1]!);
  const theirs = Uint8Array.fromBase64(renamed[1]!);
  theirs.set(ours.subarray(0, 10));
  const zero = new Uint8Array(74);
  zero.set(ours.subarray(0, 10));
  const withLine = (bytes: Uint8Array) =>
    `untrusted comment: x\n${bytes.toBase64()}\ntrusted comment: x\n\n`;
  const table: Record<string, readonly [files: Record<string, string>, why: RegExp]> = {
    "another program": [{ ...good, [ASSET]: evil[ASSET]! }, /its SHA-256 is/],
    "half of the program": [{ ...good, [ASSET]: PROGRAM.slice(0, 30) }, /its SHA-256 is/],
    "other checksums": [{ ...evil, "SHA256SUMS.minisig": good["SHA256SUMS.minisig"]! }, /not hold/],
    "another key": [foreign, /is by another key/],
    "another key by the name of ours": [
      { ...foreign, "SHA256SUMS.minisig": withLine(theirs) },
      /does not hold/,
    ],
    "a signature of zeroes": [{ ...good, "SHA256SUMS.minisig": withLine(zero) }, /does not hold/],
    "no signature": [{ ...good, "SHA256SUMS.minisig": "" }, /holds no signature/],
    "a page instead of it": [{ ...good, "SHA256SUMS.minisig": "<html>\n<p>\n" }, /holds no sig/],
    "no checksum of the program": [signed("0  other\n"), /the release has none/],
    "an empty list": [signed(""), /the release has none/],
  };
  for (const [what, [files, why]] of Object.entries(table)) {
    await using machine = await Machine.create();
    await machine.publish("v0.9.0", released("v0.9.0", "#!/bin/sh\necho before\n"));
    assert.equal((await machine.install()).code, 0);
    await machine.publish("v1.0.0", files);
    const { code, stderr } = await machine.install();
    assert.equal(code, 1, `${what}: ${stderr}`);
    assert.match(stderr, why, what);
    const kept = await Deno.readTextFile(join(machine.home, ".local/bin/firma"));
    assert.equal(kept, "#!/bin/sh\necho before\n", what);
    assert.deepEqual(await machine.list(), ["firma"], what);
    assert.deepEqual((await machine.list(".")).sort(), [".local"], what);
  }
});

function signed(sums: string): Record<string, string> {
  const signature = minisign(KEY, new TextEncoder().encode(sums), "firma");
  return { [ASSET]: PROGRAM, SHA256SUMS: sums, "SHA256SUMS.minisig": signature };
}

// Attack: an old release, well signed, where another was asked for.
Deno.test("scripts/install.sh installs no other release than the one it was asked for", async () => {
  await using machine = await Machine.create();
  await machine.publish("v1.2.0", released("v1.1.0", PROGRAM));
  const args = ["--base-url", `file://${machine.releases}`, "--version", "v1.2.0"];
  const { code, stderr } = await machine.install(args);
  assert.equal(code, 1);
  assert.match(stderr, /is another one/);
  await machine.publish("v1.2.0");
  assert.equal((await machine.install(args)).code, 0);
});

Deno.test("scripts/install.sh verifies what minisign signs, under every awk", async () => {
  await using machine = await Machine.create();
  await machine.publish();
  const key = join(machine.home, "minisign.pub");
  const directory = join(machine.releases, "latest/download");
  const made = await new Deno.Command("sh", {
    args: [
      "-ec",
      `minisign -G -W -p "$1" -s "$1.key" >&2
       minisign -S -l -s "$1.key" -m "$2/SHA256SUMS" >&2
       sed -n 2p "$1"
       rm "$1" "$1.key"`,
      "sh",
      key,
      directory,
    ],
  }).output();
  assert.ok(made.success, new TextDecoder().decode(made.stderr));
  const text = new TextDecoder().decode(made.stdout).trim();
  const base = ["--base-url", `file://${machine.releases}`, "--public-key", text];
  for (const awk of ["mawk", "busybox awk"]) {
    const bin = join(machine.home, "bin");
    await Deno.mkdir(bin, { recursive: true });
    const script = `#!/bin/sh\nexec ${awk} "$@"\n`;
    await Deno.writeTextFile(join(bin, "awk"), script, { mode: 0o755 });
    const env = { PATH: `${bin}:/usr/bin:/bin` };
    const installed = await machine.install(base, env);
    assert.equal(installed.code, 0, `${awk}: ${installed.stderr}`);
    const sums = join(directory, "SHA256SUMS");
    const before = await Deno.readTextFile(sums);
    await Deno.writeTextFile(sums, `${before}\n`);
    const changed = await machine.install(base, env);
    assert.match(changed.stderr, /somebody changed the release/, awk);
    await Deno.writeTextFile(sums, before);
  }
});

// Signatures whose numbers are at the edges: found among many, not made.
Deno.test("scripts/install.sh verifies the signatures of many keys over many texts", async () => {
  const script = SCRIPT.slice(0, SCRIPT.lastIndexOf("\nmain "));
  await using machine = await Machine.create();
  const cases: { sums: string; minisig: string; key: string; holds: boolean }[] = [];
  for (let i = 0; i < 6; i++) {
    const { privateKey }: { privateKey: KeyObject } = generateKeyPairSync("ed25519");
    const sums = "x".repeat(i * 37);
    const minisig = minisign(privateKey, new TextEncoder().encode(sums), "");
    const [first, line, ...rest] = minisig.split("\n");
    const bytes = Uint8Array.fromBase64(line!);
    // One bit of R or S, a different one each time.
    bytes[10 + (i * 11) % 64]! ^= 1 << (i % 8);
    const key = publicKeyText(privateKey);
    cases.push({ sums, minisig, key, holds: true });
    cases.push({ sums, minisig: [first, bytes.toBase64(), ...rest].join("\n"), key, holds: false });
  }
  for (const [i, { sums, minisig, key, holds }] of cases.entries()) {
    await Deno.writeTextFile(join(machine.home, `${i}`), sums);
    await Deno.writeTextFile(join(machine.home, `${i}.minisig`), minisig);
    const call = `\n(check_signature ${i} ${i}.minisig ${key}) && exit 0\nexit 7\n`;
    const { code, stderr } = await machine.install([], {}, { script: script + call });
    assert.equal(code, holds ? 0 : 7, `${i}: ${stderr}`);
  }
});

Deno.test("scripts/install.sh keeps what is installed when the new one does not run", async () => {
  await using machine = await Machine.create();
  await machine.publish();
  assert.equal((await machine.install()).code, 0);
  await machine.publish("v9.9.9", released("v9.9.9", "\x7fELF no program\n"));
  const { code, stderr } = await machine.install();
  assert.equal(code, 1);
  assert.match(stderr, /it does not run on this machine/);
  assert.equal(await Deno.readTextFile(join(machine.home, ".local/bin/firma")), PROGRAM);
});

Deno.test("scripts/install.sh fetches over HTTPS, and over nothing else", async () => {
  await using machine = await Machine.create();
  const ca = await TestCa.create();
  const roots = join(machine.home, "roots.pem");
  await Deno.writeTextFile(roots, ca.certificate);
  const { cert, key } = await ca.issue("localhost");
  const files = released("v9.9.9", PROGRAM);
  let redirect: string | undefined;
  const answer = (request: Request) => {
    const { pathname } = new URL(request.url);
    if (redirect !== undefined) return Response.redirect(redirect + pathname);
    const name = pathname.replace("/releases/latest/download/", "");
    return name in files ? new Response(files[name]) : new Response("", { status: 404 });
  };
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using server = Deno.serve({ ...options, cert, key }, answer);
  await using plain = Deno.serve(options, answer);
  const base = ["--base-url", `https://localhost:${server.addr.port}/releases`];
  for (const tool of ["curl", "wget"]) {
    // A PATH with just one of the two.
    const bin = join(machine.home, `bin-${tool}`);
    await Deno.mkdir(bin);
    const names = "uname mkdir mktemp rm cut awk sed tr cat sha256sum sha512sum chmod mv sh".split(
      " ",
    );
    for (const name of [...names, tool]) {
      await Deno.symlink(`/usr/bin/${name}`, join(bin, name));
    }
    const wgetrc = join(machine.home, "wgetrc");
    await Deno.writeTextFile(wgetrc, `ca_certificate = ${roots}\n`);
    const env = { PATH: bin, CURL_CA_BUNDLE: roots, WGETRC: wgetrc };
    redirect = undefined;
    const installed = await machine.install([...base, "--prefix", tool], env);
    assert.equal(installed.code, 0, installed.stderr);
    assert.deepEqual(await machine.list(`${tool}/bin`), ["firma"]);
    // Attack: a server that nobody vouches for.
    const stranger = await machine.install([...base, "--prefix", "x"], { PATH: bin });
    assert.match(stranger.stderr, /Cannot fetch/);
    // Attack: a redirect away from HTTPS.
    redirect = `http://127.0.0.1:${plain.addr.port}`;
    const downgraded = await machine.install([...base, "--prefix", "x"], env);
    assert.equal(downgraded.code, 1, downgraded.stderr);
    assert.deepEqual(await machine.list("x/bin"), []);
  }
});

Deno.test("scripts/install.sh says what it cannot use", async () => {
  await using machine = await Machine.create();
  await machine.publish();
  const base = ["--base-url", `file://${machine.releases}`];
  const table: Record<string, readonly [args: string[], code: number, why: RegExp]> = {
    "a version that is a path": [["--version", "v1/../../x"], 2, /it is no release/],
    "a version that is an option": [["--version", "--prefix"], 2, /it is no release/],
    "plain HTTP": [["--base-url", "http://a.test"], 2, /neither https:\/\/ nor file:\/\//],
    "an option that is not there": [["--dir", "x"], 2, /Cannot use "--dir"/],
    "an option without its value": [["--prefix"], 2, /--prefix needs a value/],
    "a key that is none": [["--public-key", "RWT"], 1, /it is no minisign key/],
    "a place that is a file": [["--prefix", "blocked"], 1, /it cannot be made; try --prefix/],
  };
  await Deno.writeTextFile(join(machine.home, "blocked"), "");
  for (const [what, [args, code, why]] of Object.entries(table)) {
    const said = await machine.install([...base, ...args]);
    assert.equal(said.code, code, `${what}: ${said.stderr}`);
    assert.match(said.stderr, why);
  }
  const help = await machine.install(["--help"]);
  assert.deepEqual([help.code, help.stderr], [0, ""]);
});

Deno.test("scripts/install.sh says where there is no release for the machine", async () => {
  await using machine = await Machine.create();
  const bin = join(machine.home, "bin");
  await Deno.mkdir(bin);
  const machines: Record<string, RegExp> = {
    "Linux riscv64": /no release for it; build from source/,
    "MINGW64_NT-10.0 x86_64": /use WSL/,
  };
  for (const [name, why] of Object.entries(machines)) {
    const [system, hardware] = name.split(" ");
    const uname = `#!/bin/sh\ncase $1 in -s) echo "${system}" ;; *) echo "${hardware}" ;; esac\n`;
    await Deno.writeTextFile(join(bin, "uname"), uname, { mode: 0o755 });
    const { code, stderr } = await machine.install([], { PATH: `${bin}:/usr/bin:/bin` });
    assert.equal(code, 1);
    assert.match(stderr, why);
  }
});

Deno.test("scripts/install.sh does nothing when only a part of it arrived", async () => {
  await using machine = await Machine.create();
  await machine.publish();
  for (const share of [0.3, 0.6, 0.9, 0.99]) {
    const script = SCRIPT.slice(0, Math.floor(SCRIPT.length * share));
    await machine.install(undefined, {}, { script });
    assert.deepEqual(await machine.list(), []);
  }
});

Deno.test("scripts/install.sh installs nothing as long as it has no key to trust", async () => {
  await using machine = await Machine.create();
  await machine.publish();
  const script = await Deno.readTextFile("scripts/install.sh");
  const { code, stderr } = await machine.install(undefined, {}, { script });
  assert.equal(code, 1);
  assert.match(stderr, /this copy of the script has no key/);
  assert.deepEqual(await machine.list(), []);
});

Deno.test("scripts/install.sh says how bubblewrap is had where it is missing", async () => {
  await using machine = await Machine.create();
  await machine.publish();
  const bin = join(machine.home, "bin");
  await Deno.mkdir(bin);
  const names =
    "uname mkdir mktemp rm cut cp awk sed tr cat sha256sum sha512sum chmod mv sh apt-get";
  for (const name of names.split(" ")) await Deno.symlink(`/usr/bin/${name}`, join(bin, name));
  const { code, stderr } = await machine.install(undefined, { PATH: bin });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /bubblewrap is missing, .*: sudo apt-get install bubblewrap/);
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { TestCa } from "../fixtures/test_ca.ts";

const SCRIPT = "scripts/install.sh";
const PROGRAM = '#!/bin/sh\n[ "$1" = version ] && echo "firma 9.9.9 (test)"\n';
const TARGETS: Record<string, string> = {
  "linux x86_64": "x86_64-unknown-linux-gnu",
  "linux aarch64": "aarch64-unknown-linux-gnu",
  "darwin x86_64": "x86_64-apple-darwin",
  "darwin aarch64": "aarch64-apple-darwin",
};
const ASSET = `firma-${TARGETS[`${Deno.build.os} ${Deno.build.arch}`]}`;

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
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

  /** Publishes a release whose program has the given text; `checksum` is of another text, if given. */
  async publish(version: string, program = PROGRAM, checksum?: string): Promise<void> {
    const directories = version === "latest" ? ["latest/download"] : [`download/${version}`];
    for (const path of directories) {
      const directory = join(this.releases, path);
      await Deno.mkdir(directory, { recursive: true });
      await Deno.writeTextFile(join(directory, ASSET), program);
      const sums = checksum ?? `${await sha256(program)}  ${ASSET}\n`;
      await Deno.writeTextFile(join(directory, `${ASSET}.sha256`), sums);
    }
  }

  /** Runs the script, piped into a shell as the head of the script says. */
  async install(
    args: readonly string[] = ["--base-url", `file://${this.releases}`],
    env: Readonly<Record<string, string>> = {},
    script?: string,
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const child = new Deno.Command("sh", {
      args: ["-s", "--", ...args],
      cwd: this.home,
      clearEnv: true,
      env: { HOME: this.home, PATH: "/usr/local/bin:/usr/bin:/bin", ...env },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(script ?? await Deno.readTextFile(SCRIPT)));
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
  await using machine = await Machine.create();
  await machine.publish("latest");
  const { code, stdout, stderr } = await machine.install();
  assert.deepEqual([code, stdout], [0, ""], stderr);
  const program = join(machine.home, ".local/bin/firma");
  assert.equal((await Deno.stat(program)).mode! & 0o777, 0o755);
  assert.ok(stderr.includes(`installed firma 9.9.9 (test) as ${program}`), stderr);
  assert.match(stderr, /is not on your PATH; add this/);
  assert.deepEqual(await machine.list(), ["firma"]);
});

Deno.test("scripts/install.sh installs the release and to the place that it is told", async () => {
  await using machine = await Machine.create();
  await machine.publish("v1.2.0");
  const base = ["--base-url", `file://${machine.releases}/`];
  const there = await machine.install([...base, "--version", "v1.2.0", "--to", "tools/bin"]);
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

// Attack: a program that is not the one that was released.
Deno.test("scripts/install.sh installs nothing that the checksum does not cover", async () => {
  await using machine = await Machine.create();
  await machine.publish("latest", "#!/bin/sh\necho before\n");
  assert.equal((await machine.install()).code, 0);
  const wrong: Record<string, string> = {
    [`${"0".repeat(64)}  ${ASSET}\n`]: "its SHA-256 is",
    "": "holds no SHA-256",
    "<html>": "holds no SHA-256",
    [`${"0".repeat(63)}\n`]: "holds no SHA-256",
  };
  for (const [checksum, why] of Object.entries(wrong)) {
    await machine.publish("latest", "#!/bin/sh\ntouch hacked\n", checksum);
    const { code, stderr } = await machine.install();
    assert.equal(code, 1);
    assert.ok(stderr.includes(why), stderr);
  }
  const kept = await Deno.readTextFile(join(machine.home, ".local/bin/firma"));
  assert.equal(kept, "#!/bin/sh\necho before\n");
  assert.deepEqual(await machine.list(), ["firma"]);
  assert.deepEqual((await machine.list(".")).sort(), [".local"]);
});

Deno.test("scripts/install.sh keeps what is installed when the new one does not run", async () => {
  await using machine = await Machine.create();
  await machine.publish("latest");
  assert.equal((await machine.install()).code, 0);
  await machine.publish("latest", "\x7fELF no program\n");
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
  let redirect: string | undefined;
  const answer = async (request: Request) => {
    const { pathname } = new URL(request.url);
    if (redirect !== undefined) return Response.redirect(redirect + pathname);
    if (pathname === `/releases/latest/download/${ASSET}`) return new Response(PROGRAM);
    if (pathname !== `/releases/latest/download/${ASSET}.sha256`) {
      return new Response("", { status: 404 });
    }
    return new Response(await sha256(PROGRAM));
  };
  const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  await using server = Deno.serve({ ...options, cert, key }, answer);
  await using plain = Deno.serve(options, answer);
  const base = ["--base-url", `https://localhost:${server.addr.port}/releases`];
  for (const tool of ["curl", "wget"]) {
    // A PATH with just one of the two.
    const bin = join(machine.home, `bin-${tool}`);
    await Deno.mkdir(bin);
    const names = "uname mkdir mktemp rm head cut sha256sum chmod mv sh".split(" ");
    for (const name of [...names, tool]) {
      await Deno.symlink(`/usr/bin/${name}`, join(bin, name));
    }
    const wgetrc = join(machine.home, "wgetrc");
    await Deno.writeTextFile(wgetrc, `ca_certificate = ${roots}\n`);
    const env = { PATH: bin, CURL_CA_BUNDLE: roots, WGETRC: wgetrc };
    redirect = undefined;
    const installed = await machine.install([...base, "--to", tool], env);
    assert.equal(installed.code, 0, installed.stderr);
    assert.deepEqual(await machine.list(tool), ["firma"]);
    // Attack: a server that nobody vouches for.
    const stranger = await machine.install([...base, "--to", "x"], { PATH: bin });
    assert.match(stranger.stderr, /Cannot fetch/);
    // Attack: a redirect away from HTTPS.
    redirect = `http://127.0.0.1:${plain.addr.port}`;
    const downgraded = await machine.install([...base, "--to", "x"], env);
    assert.equal(downgraded.code, 1, downgraded.stderr);
    assert.deepEqual(await machine.list("x"), []);
  }
});

Deno.test("scripts/install.sh says what it cannot use", async () => {
  await using machine = await Machine.create();
  await machine.publish("latest");
  const base = ["--base-url", `file://${machine.releases}`];
  const table: Record<string, readonly [args: string[], code: number, why: RegExp]> = {
    "a version that is a path": [["--version", "v1/../../x"], 2, /it is no release/],
    "a version that is an option": [["--version", "--to"], 2, /it is no release/],
    "plain HTTP": [["--base-url", "http://a.test"], 2, /neither https:\/\/ nor file:\/\//],
    "an option that is not there": [["--dir", "x"], 2, /Cannot use "--dir"/],
    "an option without its value": [["--to"], 2, /--to needs a value/],
    "a place that is a file": [["--to", "blocked/bin"], 1, /it cannot be made; try --to/],
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
  await machine.publish("latest");
  const script = await Deno.readTextFile(SCRIPT);
  for (const share of [0.3, 0.6, 0.9, 0.99]) {
    await machine.install(undefined, {}, script.slice(0, Math.floor(script.length * share)));
    assert.deepEqual(await machine.list(), []);
  }
});

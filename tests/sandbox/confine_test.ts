import assert from "node:assert/strict";
import { join } from "node:path";
import { eventually } from "../fixtures/deadline.ts";
import { DEFAULT_SIGNALS } from "../fixtures/default_signals.ts";
import { CERTIFICATE, IDENTITIES, World } from "./support/world.ts";

for (const identity of IDENTITIES) {
  Deno.test(`confine() runs a command of ${identity.name} as it would run without`, async (t) => {
    using world = new World(identity);
    world.plant("home/.gitconfig", "[user]\n\tname = A Person\n\temail = a@person.test\n");
    world.plant("home/tools/bin/mine", '#!/bin/sh\n. "$(dirname "$0")/../lib/mine.sh"\n');
    world.plant("home/tools/lib/mine.sh", 'echo "mine $1"\n');
    world.plant("home/tools/etc/npmrc", "token\n");
    world.plant("home/.cargo/bin/cargo-mine", "#!/bin/sh\necho cargo\n");
    world.plant("home/.cargo/credentials.toml", "token\n");
    for (const program of ["tools/bin/mine", ".cargo/bin/cargo-mine"]) {
      Deno.chmodSync(join(world.home, program), 0o755);
    }
    world.plant("home/.pyenv/shims/snake", "#!/bin/sh\ncat ~/.pyenv/.npmrc; echo snake\n");
    world.plant("home/.pyenv/.npmrc", "token\n");
    Deno.chmodSync(join(world.home, ".pyenv/shims/snake"), 0o755);
    world.plant("home/project/a=b", "#!/bin/sh\necho equals\n");
    Deno.chmodSync(join(world.project, "a=b"), 0o755);
    world.plant("home/.claude/settings.json", "{}");
    world.plant("home/.claude.json", "{}");
    world.own();
    const sh = (script: string, options = {}) => world.run(["sh", "-c", script], options);

    await t.step("exit code, output and arguments", async () => {
      const words = [
        "sh",
        "-c",
        'echo "$1"; echo err >&2; exit 7',
        "sh",
        "two  words\n$x",
      ] as const;
      const { code, stdout, stderr } = await world.run(words);
      assert.deepEqual([code, stdout, stderr], [7, "two  words\n$x\n", "err\n"]);
    });
    await t.step("a command that a signal ended", async () => {
      assert.equal((await sh("kill -9 $$")).code, 137);
    });
    await t.step("signals are as they were: not ignored, unless they were", async () => {
      const script = "grep SigIgn /proc/self/status"; // 1 to 31: the last eight digits
      assert.match((await sh(script)).stdout, /[08]0{7}\n$/);
      const wrapper = ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"];
      assert.match((await sh(script, { wrapper })).stdout, /[08]0{6}1\n$/);
    });
    await t.step("limits, although Deno raises its own", async () => {
      const wrapper = ["sh", "-c", 'ulimit -S -n 100; "$@"; exit', "sh"];
      assert.equal(
        (await sh("ulimit -S -n; ulimit -H -n", { wrapper })).stdout.split("\n")[0],
        "100",
      );
    });
    await t.step("a pipe at either end", async () => {
      const wrapper = ["sh", "-c", 'echo typed | "$@" | head -n 2', "sh"];
      const { stdout } = await sh("cat; yes; echo $? >&2", { wrapper });
      assert.equal(stdout, "typed\ny\n");
    });
    await t.step("a server that goes on after the command that started it", async () => {
      const serve = "python3 -m http.server --bind 127.0.0.1 8123 >/dev/null 2>&1 &";
      const get =
        "for i in $(seq 500); do curl -sf http://127.0.0.1:8123/ && exit; sleep 0.02; done";
      const { stdout } = await sh(`sh -c '${serve}'; ${get}`);
      assert.match(stdout, /Directory listing/);
    });
    await t.step("who and where", async () => {
      const { stdout } = await sh("id -u; pwd; echo $HOME; getent passwd $(id -u) | cut -d: -f3");
      const uid = String(identity.uid);
      assert.deepEqual(stdout.trim().split("\n"), [uid, world.project, world.home, uid]);
    });
    await t.step("a start below what is opened, with what is above", async () => {
      world.plant("home/project/deep/.vscode/tasks.json", "");
      world.own();
      const startIn = join(world.project, "deep");
      const script = "pwd; touch ../beside && ls ../beside; touch .vscode/more .idea/more";
      const { stdout, stderr } = await sh(script, { startIn });
      assert.equal(stdout, `${startIn}\n../beside\n`);
      assert.match(stderr, /\.vscode\/more': Read-only[^]*\.idea\/more': Read-only/);
      Deno.removeSync(startIn, { recursive: true });
      Deno.removeSync(join(world.project, "beside"));
    });
    await t.step("programs below the home, their neighbours and nothing else", async () => {
      const env = { PATH: `${world.home}/tools/bin:${world.home}/.cargo/bin:/usr/bin:/bin` };
      const { stdout } = await sh("mine; cargo-mine; ls -A ~ ~/tools ~/.cargo", { env });
      const home = `${world.home}:\n.cargo\nproject\ntools\n`;
      const tools = `${world.home}/tools:\nbin\nlib\n`;
      assert.equal(stdout, `mine \ncargo\n${home}\n${world.home}/.cargo:\nbin\n\n${tools}`);
    });
    await t.step("a whole toolchain, but for the files in it that hold tokens", async () => {
      const env = { PATH: `${world.home}/.pyenv/shims:/usr/bin:/bin` };
      assert.equal((await sh("snake", { env })).stdout, "snake\n");
    });
    await t.step("a workspace that is not the user's to write", async () => {
      world.plant("home/theirs/.git/config", "");
      world.plant("home/theirs/.vscode/tasks.json", "");
      world.own();
      Deno.chmodSync(join(world.home, "theirs/.vscode"), 0o111);
      Deno.chmodSync(join(world.home, "theirs"), 0o555);
      const { code, stderr } = await sh("ls", { cwd: join(world.home, "theirs") });
      assert.equal(code, 0, stderr);
    });
    await t.step("a program whose name contains an equals sign", async () => {
      assert.equal((await world.run(["./a=b"])).stdout, "equals\n");
    });
    await t.step("git knows who commits", async () => {
      const { stdout, stderr } = await sh(
        "git init -q r && cd r && git commit -q --allow-empty -m x && git log --format='%an %ae'",
      );
      assert.equal(stdout, "A Person a@person.test\n", stderr);
    });
    await t.step("the session's authority stands in every list of roots", async () => {
      const inside = CERTIFICATE.split("\n")[1]!;
      const { stdout } = await sh(
        `grep -l "${inside}" /run/firma/*.pem /etc/ssl/certs/ca-certificates.crt $NODE_EXTRA_CA_CERTS`,
      );
      const names = ["ca-bundle.pem", "ca-extra.pem", "ca.pem"].map((name) => `/run/firma/${name}`);
      const system = "/etc/ssl/certs/ca-certificates.crt";
      assert.deepEqual(stdout.trim().split("\n"), [...names, system, "/run/firma/ca-extra.pem"]);
    });
    await t.step("an agent's own settings stay, for its profile alone", async () => {
      const write = "echo new > ~/.claude/settings.json; echo new > ~/.claude.json";
      const settings = join(world.home, ".claude/settings.json");
      await sh(`mkdir ~/.claude; ${write}`);
      assert.equal(Deno.readTextFileSync(settings), "{}");
      const changed = await sh(write, { profile: "claude-code" });
      assert.equal(changed.code, 0, changed.stderr);
      assert.equal(Deno.readTextFileSync(settings), "new\n");
      assert.equal(Deno.readTextFileSync(join(world.home, ".claude.json")), "new\n");
    });
    await t.step(
      "a sign-in without its tokens, where there is a credential for its host",
      async () => {
        const file = world.plant(
          "home/.claude/.credentials.json",
          JSON.stringify({ claudeAiOauth: { accessToken: "real", expiresAt: 1, plan: "max" } }),
        );
        world.own();
        const script =
          "cat ~/.claude/.credentials.json; echo $TOKEN; rm ~/.claude/.credentials.json; " +
          "mv ~/.claude ~/other; echo mine > ~/.claude/.credentials.json && echo kept; " +
          "cat ~/.claude/.credentials.json";
        const control = await sh("cat ~/.claude/.credentials.json", { profile: "claude-code" });
        assert.match(control.stdout, /"real"/);
        const { stdout } = await sh(script, {
          profile: "claude-code",
          brokeredHosts: ["api.anthropic.com"],
          held: {
            placeholders: { TOKEN: "in its place" },
            signIns: { claude: { accessToken: "in its place" } },
          },
        });
        assert.match(stdout, /"accessToken": "in its place",\n {4}"expiresAt": 4\d{12},/);
        assert.match(stdout, /"plan": "max"[^]*\nin its place\nkept\nmine\n$/);
        assert.doesNotMatch(stdout, /real/);
        assert.match(Deno.readTextFileSync(file), /"real"/);
      },
    );
    await t.step("variables of the profile pass, others do not", async () => {
      const env = { ANTHROPIC_API_KEY: "key", OPENAI_API_KEY: "other", LC_ALL: "C.UTF-8" };
      const { stdout } = await sh("echo $ANTHROPIC_API_KEY,$OPENAI_API_KEY,$LC_ALL", {
        env,
        profile: "claude-code",
      });
      assert.equal(stdout, "key,,C.UTF-8\n");
    });
  });

  Deno.test(`confine() leaves nothing behind of what ${identity.name} ran`, async (t) => {
    using world = new World(identity);
    // A number that no other process has in its command line.
    const mark = String(1e9 + Math.floor(Math.random() * 1e9));
    const remains = () => commandLines().filter((line) => line.includes(`sleep ${mark}`));

    await t.step("when the command ends before its children", async () => {
      const { code } = await world.run(["sh", "-c", `setsid sleep ${mark} & exit 4`]);
      assert.equal(code, 4);
      await eventually("the children's end", () => remains().length === 0 || undefined);
    });
    await t.step("when firma is killed", async () => {
      using process = start(world, ["sh", "-c", `sleep ${mark} & echo up; sleep ${mark}`]);
      await process.saysLine("up");
      assert.notEqual(remains().length, 0);
      process.child.kill("SIGKILL");
      await process.child.status;
      await eventually("the children's end", () => remains().length === 0 || undefined);
    });
    await t.step("when there is no session: the command does not even start", async () => {
      const { code, stdout, stderr } = await world.run(["sh", "-c", `echo ran; sleep ${mark}`], {
        sessionless: true,
      });
      assert.deepEqual([code, stdout], [111, ""]);
      assert.equal(JSON.parse(stderr).code, "NO_SESSION");
      const outer = () => commandLines().filter((line) => line.includes(world.state));
      await eventually("the sandbox's end", () => outer().length === 0 || undefined);
    });
    await t.step("when firma is asked to end, the command may clean up first", async () => {
      const script = `trap "echo cleaned; exit 6" TERM; echo up; while :; do sleep 0.05; done`;
      using process = start(world, ["bash", "-c", script]);
      await process.saysLine("up");
      process.child.kill("SIGTERM");
      await process.saysLine("cleaned");
      assert.equal((await process.child.status).code, 6);
    });
  });

  Deno.test(`confine() gives nothing of ${identity.name} away`, async (t) => {
    using world = new World(identity);

    await t.step("descriptors that firma inherited", async () => {
      const script = "ls /proc/self/fd | wc -l; cat <&7";
      world.plant("inherited", "secret of the host\n");
      const wrapper = ["sh", "-c", 'exec "$@" 7<"$INHERITED"', "sh"];
      const env = { INHERITED: join(world.root, "inherited") };
      const { stdout } = await world.run(["bash", "-c", script], { wrapper, env });
      assert.equal(stdout, "4\n"); // three, and that of the listing
    });
    await t.step("keys of the environment on any command line", async () => {
      const key = `key-${crypto.randomUUID()}`;
      const command = ["sh", "-c", "echo $ANTHROPIC_API_KEY; read wait"] as const;
      using process = start(world, command, {
        profile: "claude-code",
        env: { ANTHROPIC_API_KEY: key },
      });
      await process.saysLine(key);
      assert.notEqual(commandLines().length, 0);
      assert.deepEqual(commandLines().filter((line) => line.includes(key)), []);
    });
    await t.step("a sealed directory below the workspace, by renaming one above it", async () => {
      const sealed = join(world.plant("home/project/a/b/.firma/firma.toml", "theirs"), "..");
      world.own();
      const script = "mv a c; mkdir -p a/b/.firma; echo mine > a/b/.firma/firma.toml; " +
        "mv a/b a/d; mkdir other && mv other moved && ls -d a c moved";
      const control = await world.run(["sh", "-c", "mv a c && mv c a && ls a/b/.firma"]);
      assert.equal(control.stdout, "firma.toml\n", control.stderr);
      const { stdout } = await world.run(["sh", "-c", script], { sealedDirs: [sealed] });
      assert.equal(stdout, "a\nmoved\n");
      assert.equal(Deno.readTextFileSync(join(sealed, "firma.toml")), "theirs");
    });
    await t.step("firma's state, when that lies in the workspace", async () => {
      const secret = world.plant("home/project/in/state/run/other/control.sock", "theirs");
      world.own();
      const env = { FIRMA_STATE_DIR: join(world.project, "in/state") };
      const script = "ls -A in in/state; : >in/state/new; mv in out; true";
      const { stdout, stderr } = await world.run(["sh", "-c", script], { env });
      assert.equal(stdout, "in:\nstate\n\nin/state:\n", stderr);
      assert.match(stderr, /new: Read-only file system/);
      assert.equal(Deno.readTextFileSync(secret), "theirs");
      const control = await world.run(["sh", "-c", "cat in/state/run/other/control.sock"]);
      assert.equal(control.stdout, "theirs", control.stderr);
    });
    await t.step("the program that it is run by, when that lies in the workspace", async () => {
      const script = "for f in src/core/x src/sandbox/confine.ts main.ts y; do : > $f; done; ls y";
      const { stdout, stderr } = await world.run(["bash", "-c", script], { cwd: world.source });
      assert.equal(stdout, "y\n");
      assert.equal(stderr.match(/Read-only file system/g)?.length, 3, stderr);
    });
  });
}

Deno.test("confine() refuses what it cannot make safe, and says what to do", async (t) => {
  using world = new World(IDENTITIES.at(-1)!);
  const firmaDir = join(world.plant("home/project/.firma/policies/dev.cedar", ""), "..", "..");
  world.plant("home/other/elsewhere/firma.toml", "");
  Deno.symlinkSync("elsewhere", join(world.home, "other/.firma"));
  world.plant("home/project/not-executable", "");
  world.own();
  const refused: Readonly<Record<string, [string, Parameters<World["run"]>[0], object]>> = {
    "the whole machine": ["WORKSPACE_REFUSED", ["true"], { cwd: "/" }],
    "the home": ["WORKSPACE_REFUSED", ["true"], { cwd: world.home }],
    "a directory above the home": ["WORKSPACE_REFUSED", ["true"], { cwd: world.root }],
    "firma's state": ["WORKSPACE_REFUSED", ["true"], { cwd: world.state }],
    "a directory of the system": ["WORKSPACE_REFUSED", ["true"], { cwd: "/etc" }],
    "the policies themselves": ["WORKSPACE_REFUSED", ["true"], {
      cwd: join(firmaDir, "policies"),
      sealedDirs: [firmaDir],
    }],
    "a seal that is a link": ["SEAL_IS_SYMLINK", ["true"], {
      sealedDirs: [join(world.home, "other/.firma")],
    }],
    "a sandbox in a sandbox": ["NESTED_SANDBOX", ["true"], {
      env: { FIRMA_RUN_SANDBOX_ID: "sbx_outer" },
    }],
    "an unknown profile": ["UNKNOWN_PROFILE", ["true"], { profile: "nobody" }],
    "an unknown program": ["COMMAND_NOT_FOUND", ["no-such-program"], {}],
    "a file that is no program": ["COMMAND_NOT_EXECUTABLE", ["./not-executable"], {}],
  };
  for (const [name, [expected, command, options]] of Object.entries(refused)) {
    await t.step(name, async () => {
      const { code, stderr } = await world.run(command, options);
      assert.equal(code, 111);
      const { code: found, message, cure } = JSON.parse(stderr);
      assert.equal(found, expected);
      assert.match(message, /^Cannot .+: .+[^.]$/);
      assert.notEqual(cure, undefined);
    });
  }
});

Deno.test("confine() says how to permit namespaces where the machine forbids them", async () => {
  using world = new World(IDENTITIES[0]!);
  const forbid = 'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"';
  const { code, stderr } = await world.run(["true"], {
    wrapper: ["unshare", "--user", "--map-root-user", "sh", "-c", forbid, "sh"],
  });
  assert.equal(code, 111);
  const error = JSON.parse(stderr.split("\n").find((line) => line.startsWith("{"))!);
  assert.equal(error.code, "NAMESPACES_FORBIDDEN");
  assert.match(error.cure, /sysctl -w user\.max_user_namespaces/);
});

/** Command lines of all processes, arguments joined by spaces. */
function commandLines(): string[] {
  return [...Deno.readDirSync("/proc")].flatMap(({ name }) => {
    try {
      return /^\d+$/.test(name)
        ? [Deno.readTextFileSync(`/proc/${name}/cmdline`).replaceAll("\0", " ")]
        : [];
    } catch {
      return []; // it ended
    }
  });
}

/** Starts a command in the sandbox without waiting for its end. */
function start(
  world: World,
  command: readonly [string, ...string[]],
  options: Parameters<World["run"]>[1] = {},
) {
  const { words, env } = world.confined(command, options);
  const [program, ...args] = [...DEFAULT_SIGNALS, ...words];
  const child = new Deno.Command(program, {
    args,
    cwd: world.project,
    env,
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let seen = "";
  return {
    child,
    async saysLine(line: string): Promise<void> {
      while (!seen.split("\n").includes(line)) {
        const { value, done } = await lines.read();
        if (done) throw new Error(`Waited in vain for "${line}" in "${seen}"`);
        seen += value;
      }
    },
    [Symbol.dispose]() {
      child.stdin.close().catch(() => {});
      lines.cancel().catch(() => {});
      try {
        child.kill("SIGKILL");
      } catch {
        // It has ended.
      }
    },
  };
}

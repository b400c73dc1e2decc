import assert from "node:assert/strict";
import { join } from "node:path";
import { groupEnder } from "../../src/broker/process_groups.ts";
import { ProcessWatch } from "../../src/broker/process_watch.ts";
import { StorePrograms } from "../../src/broker/store_programs.ts";
import { eventually } from "../fixtures/deadline.ts";
import { runs } from "./_runs.ts";

/** A program that does what the file beside it says, in place of `pass`. */
async function withProgram(
  script: string,
  work: (
    run: (...args: readonly string[]) => ReturnType<StorePrograms["run"]>,
    directory: string,
    runFor: (sessionId: string) => ReturnType<StorePrograms["run"]>,
  ) => Promise<void>,
  limits: { readonly timeoutMs?: number; readonly maxOutput?: number } = {},
): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "firma-store-" });
  const program = join(directory, "pass");
  await Deno.writeTextFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const variables: Record<string, string> = {
    PATH: "/usr/bin:/bin",
    HOME: directory,
    PASSWORD_STORE_DIR: "/store",
    BASH_ENV: "/evil",
    OTHER: "not for it",
  };
  const watch = new ProcessWatch(groupEnder());
  const programs = new StorePrograms(
    [{
      id: "team",
      preset: "pass",
      program,
      names: ["agents/**"],
      hosts: [],
      envPassthrough: ["PASSWORD_STORE_DIR"],
      timeoutMs: limits.timeoutMs ?? 20_000,
      maxOutput: limits.maxOutput ?? 65_536,
    }],
    (name) => variables[name],
    (notice) => watch.hear(notice),
  );
  try {
    const session = { provider: "team", sessionId: "ses_a" };
    await work(
      (...args) => programs.run({ ...session, args }),
      directory,
      (sessionId) => programs.run({ ...session, sessionId, args: ["show", "agents/api"] }),
    );
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("StorePrograms.run() gives what a program prints, and how it ends", async () => {
  await withProgram('printf "%s " "$@"; echo warned >&2; exit 3', async (run) => {
    const output = await run("show", "agents/api");
    assert.deepEqual(output, {
      ok: true,
      value: { code: 3, stdout: "show agents/api ", stderr: "warned\n" },
    });
  });
});

Deno.test("StorePrograms.run() starts a program in /, without input, with the variables that are its own", async () => {
  await withProgram("pwd; wc -c; env | cut -d= -f1 | sort", async (run) => {
    const output = await run("ls");
    assert.ok(output.ok);
    const names = output.value.stdout.split("\n").slice(2).filter((name) => name !== "");
    assert.match(output.value.stdout, /^\/\n0\n/);
    assert.deepEqual(names.filter((name) => !["PWD", "_", "SHLVL", "OLDPWD"].includes(name)), [
      ...["HOME", "PASSWORD_STORE_DIR", "PATH"],
    ]);
  });
});

Deno.test("StorePrograms.run() runs nothing that is not known to be harmless", async () => {
  await withProgram("touch ran", async (run, directory) => {
    for (const args of [["git", "log"], ["show", "-c", "agents/a"], ["show", "private/a"]]) {
      const output = await run(...args);
      assert.ok(!output.ok, args.join(" "));
      assert.equal(output.error.code, "SECRET_STORE_PROGRAM");
    }
    const programs = new StorePrograms([], () => undefined, () => {});
    const output = await programs.run({ provider: "team", sessionId: "ses_a", args: ["ls"] });
    assert.match(output.ok ? "" : output.error.message, /there is no such store/);
    assert.ok(!(await Array.fromAsync(Deno.readDir(directory))).some(({ name }) => name === "ran"));
  });
});

Deno.test("StorePrograms.run() gives nothing of a program that floods, hangs, is killed or prints no text", async () => {
  const fails = async (script: string, state: RegExp, limits = {}) => {
    await withProgram(script, async (run) => {
      const output = await run("show", "agents/api");
      assert.ok(!output.ok, script);
      assert.match(output.error.message, state);
      assert.ok(!output.error.message.includes("canary"));
    }, limits);
  };
  await fails("yes canary", /printed more than 65536 bytes/);
  await fails("yes canary >&2", /printed more than 65536 bytes/);
  // What it starts keeps the pipe open.
  await fails("echo canary; sleep 20 & wait", /took more than 0\.3 s/, { timeoutMs: 300 });
  await fails("echo canary; kill -KILL $$", /ended by SIGKILL/);
  await fails("printf 'canary\\377'", /is not text/);
});

Deno.test("StorePrograms.run() ends what a program has started, but for what made itself independent", async () => {
  const script = `sleep 600 & echo $! >$HOME/child
(trap "" HUP TERM; sleep 600 & echo $! >$HOME/grandchild; wait) &
setsid -f sh -c 'echo $$ >$HOME/independent; exec sleep 600'
while [ ! -s $HOME/grandchild ] || [ ! -s $HOME/independent ]; do sleep 0.01; done
yes canary & wait`;
  await withProgram(script, async (run, home) => {
    const output = await run("show", "agents/api");
    assert.match(output.ok ? "" : output.error.message, /printed more than 65536 bytes/);
    const pidOf = (name: string) => Number(Deno.readTextFileSync(join(home, name)));
    for (const name of ["child", "grandchild"]) {
      await eventually(`the end of the ${name}`, () => !runs(pidOf(name)) || undefined);
    }
    assert.ok(runs(pidOf("independent")));
    Deno.kill(pidOf("independent"), "SIGKILL");
  });
});

Deno.test("StorePrograms.run() runs eight of a session at once, whatever others run", async () => {
  await withProgram(
    "echo $$ >>$HOME/started; read -r _ <$HOME/gate; echo ran",
    async (run, home, runFor) => {
      const made = await new Deno.Command("mkfifo", { args: [join(home, "gate")] }).output();
      assert.ok(made.success);
      // Open for as long as anybody reads there, whoever comes first.
      using gate = await Deno.open(join(home, "gate"), { read: true, write: true });
      const letGo = (count: number) => gate.write(new TextEncoder().encode("go\n".repeat(count)));
      const running = Array.from({ length: 8 }, () => run("show", "agents/api"));
      const lines = () => {
        try {
          return Deno.readTextFileSync(join(home, "started")).trim().split("\n").length;
        } catch {
          return 0;
        }
      };
      await eventually("eight to have started", () => lines() === 8 || undefined);
      const ninth = await run("show", "agents/api");
      assert.match(ninth.ok ? "" : ninth.error.message, /too many commands of the session run/);
      // A session that floods holds up no other.
      const other = runFor("ses_b");
      await eventually("that of another session", () => lines() === 9 || undefined);
      await letGo(9);
      for (const output of await Promise.all([...running, other])) assert.ok(output.ok);
      const later = run("show", "agents/api");
      await letGo(1);
      assert.ok((await later).ok);
    },
  );
});

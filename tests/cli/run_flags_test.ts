import assert from "node:assert/strict";
import fc from "fast-check";
import { command } from "../../src/cli/run.ts";
import { parseRunLine, type RunFlags, type RunLine } from "../../src/cli/run_flags.ts";

/** What the full parser makes of the same words; `undefined` when it refuses them. */
async function parsedInFull(args: readonly string[]): Promise<RunLine | undefined> {
  const parser = command().exitOverride().configureOutput({ writeOut() {}, writeErr() {} });
  let line: RunLine | undefined;
  parser.action((program: string, words: string[], flags: RunFlags) => {
    line = { program, words, flags: { ...flags } };
  });
  try {
    await parser.parseAsync([...args], { from: "user" });
  } catch {
    return undefined;
  }
  return line;
}

Deno.test("parseRunLine() reads a plain command line", () => {
  assert.deepEqual(parseRunLine(["--yes", "--profile", "codex", "--", "sh", "-c", "true"]), {
    program: "sh",
    words: ["-c", "true"],
    flags: { yes: true, profile: "codex" },
  });
  assert.deepEqual(parseRunLine(["--capability-file", "seed.toml", "true"]), {
    program: "true",
    words: [],
    flags: { capabilityFile: "seed.toml" },
  });
  assert.deepEqual(parseRunLine(["--mapping", "a", "--mapping", "b", "x", "--", "--yes"]), {
    program: "x",
    words: ["--", "--yes"],
    flags: { mapping: ["a", "b"] },
  });
});

Deno.test("parseRunLine() reads what a run asks of its Sidecar", () => {
  const words = "--no-autostart --sidecar unix:///s --sidecar-startup-timeout-secs 5 --monitor " +
    "--authority local --authority-profile developer --agent builder --backend bwrap --state-dir d";
  assert.deepEqual(parseRunLine([...words.split(" "), "true"]), {
    program: "true",
    words: [],
    flags: {
      autostart: false,
      sidecar: "unix:///s",
      sidecarStartupTimeoutSecs: "5",
      monitor: true,
      authority: "local",
      authorityProfile: "developer",
      agent: "builder",
      backend: "bwrap",
      stateDir: "d",
    },
  });
});

Deno.test("parseRunLine() leaves help, mistakes and rare spellings to the full parser", () => {
  for (
    const args of [
      [],
      ["--"],
      ["--help"],
      ["-yc", "f", "true"],
      ["--config=f", "true"],
      ["--config", "--yes", "true"],
      ["--profile"],
      ["--yess", "true"],
      ["--print-effective-config", "true"],
      ["__proto__"].map((name) => `--${name}`),
    ]
  ) assert.equal(parseRunLine(args), undefined, args.join(" "));
});

Deno.test("parseRunLine() never differs from the full parser where it answers", async () => {
  const word = fc.constantFrom(
    ...["--", "-y", "--yes", "--trust", "-c", "--config", "--profile", "--posture", "--mapping"],
    ...["--capability-file", "--sidecar", "--no-autostart", "--authority", "--agent", "--monitor"],
    ...["--backend", "--state-dir", "--authority-profile", "--sidecar-startup-timeout-secs"],
    ...["-yc", "--config=a", "-h", "--help", "-", "", "a", "sh", "-x", "--print-effective-config"],
  );
  await fc.assert(
    fc.asyncProperty(fc.array(word, { maxLength: 7 }), async (args) => {
      const quick = parseRunLine(args);
      if (quick) assert.deepEqual(quick, await parsedInFull(args));
    }),
    { numRuns: 1_000 },
  );
});

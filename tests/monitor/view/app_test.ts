import assert from "node:assert/strict";
import { Live } from "../../../src/monitor/live.ts";
import { NOTHING_RUNS } from "../../../src/monitor/standing/standing.ts";
import { runView } from "../../../src/monitor/view/app.ts";
import type { Size } from "../../../src/monitor/view/scene.ts";
import type { Terminal } from "../../../src/monitor/view/terminal.ts";
import { inTempDir, sampleDecision } from "../../audit/sample.ts";
import { eventually } from "../../fixtures/deadline.ts";

const LEAVE = "\x1b[?1049l";

/** A terminal that a test types into and looks at. */
class FakeTerminal implements Terminal {
  readonly colours = false;
  readonly callbacks = new Map<string, () => void>();
  now: Size = { columns: 80, rows: 24 };
  shown = "";
  writes = 0;
  isRaw = false;
  isStopped = false;
  /** While it is there, nothing more is taken. */
  jam: Promise<void> | undefined;
  #keys = Promise.withResolvers<Uint8Array | null>();

  size(): Size {
    return this.now;
  }

  async write(text: string): Promise<void> {
    this.writes++;
    await this.jam;
    this.shown += text;
  }

  writeNow(text: string): void {
    this.shown += text;
  }

  read(): Promise<Uint8Array | null> {
    return this.#keys.promise;
  }

  type(text: string | null): void {
    const { resolve } = this.#keys;
    this.#keys = Promise.withResolvers();
    resolve(text === null ? null : new TextEncoder().encode(text));
  }

  setRaw(isRaw: boolean): void {
    this.isRaw = isRaw;
  }

  askToStop(): void {
    this.callbacks.get("stop")?.();
  }

  stop(): void {
    this.isStopped = true;
  }

  on(signal: "resize" | "continue" | "stop", callback: () => void): () => void {
    this.callbacks.set(signal, callback);
    return () => this.callbacks.delete(signal);
  }

  async sees(text: string): Promise<void> {
    await eventually(
      `${text} in ${JSON.stringify(this.shown.slice(-2_000))}`,
      () => this.shown.includes(text) || undefined,
    );
  }
}

/** Runs a view over a log in a directory of its own until `body` and the view have ended. */
function inView(
  body: (terminal: FakeTerminal, add: (...names: string[]) => Promise<void>) => Promise<void>,
  changes: { readonly auditFile?: string } = {},
): Promise<{ terminal: FakeTerminal; error: unknown }> {
  const terminal = new FakeTerminal();
  let error: unknown;
  return inTempDir(async (dir) => {
    const auditFile = changes.auditFile ?? `${dir}/audit.jsonl`;
    const live = new Live({
      auditFile,
      components: new Set(),
      stateDir: dir,
      filter: {},
      scope: "",
      env: { FIRMA_STATE_DIR: dir, HOME: dir },
      daemons: { look: () => Promise.resolve(NOTHING_RUNS), rule: () => Promise.reject() },
      directory: dir,
    });
    const stop = new AbortController();
    const done = runView(live, terminal, stop.signal).catch((cause) => error = cause);
    const add = async (...names: string[]) => {
      const lines = names.map((name) =>
        JSON.stringify(sampleDecision({ event_id: name, resource: `host.invalid/${name}` }))
      );
      await Deno.writeTextFile(auditFile, `${lines.join("\n")}\n`, { append: true });
    };
    try {
      await body(terminal, add);
    } finally {
      stop.abort();
      await done;
    }
  }).then(() => ({ terminal, error }));
}

function assertGivenBack(terminal: FakeTerminal): void {
  assert.ok(terminal.shown.endsWith(LEAVE), JSON.stringify(terminal.shown.slice(-200)));
  assert.equal(terminal.isRaw, false);
  assert.equal(terminal.callbacks.size, 0);
}

Deno.test("runView() shows what comes, fits a new size, and ends when it is told to", async () => {
  const { terminal, error } = await inView(async (terminal, add) => {
    await terminal.sees("nothing was decided yet");
    assert.ok(terminal.isRaw);
    await add("first");
    await terminal.sees("host.invalid/first");
    terminal.shown = "";
    terminal.now = { columns: 60, rows: 20 };
    terminal.callbacks.get("resize")!();
    await terminal.sees("\x1b[20;1H");
    assert.ok(terminal.shown.includes("firma monitor"), "everything is drawn anew");
    assert.ok(!terminal.shown.includes("\x1b[21;1H"));
  });
  assert.equal(error, undefined);
  assertGivenBack(terminal);
});

Deno.test("runView() gives the terminal back while it is stopped, and takes it again", async () => {
  const { terminal } = await inView(async (terminal) => {
    await terminal.sees("nothing was decided yet");
    terminal.type("\x1a");
    await eventually("the stop", () => terminal.isStopped || undefined);
    assert.ok(terminal.shown.endsWith(LEAVE));
    assert.equal(terminal.isRaw, false);
    terminal.shown = "";
    terminal.callbacks.get("continue")!();
    await terminal.sees("nothing was decided yet");
    assert.ok(terminal.shown.startsWith("\x1b[?1049h"));
    assert.ok(terminal.isRaw);
  });
  assertGivenBack(terminal);
});

Deno.test("runView() draws the latest picture only for a terminal that takes nothing meanwhile", async () => {
  const { terminal } = await inView(async (terminal, add) => {
    await terminal.sees("nothing was decided yet");
    const jam = Promise.withResolvers<void>();
    terminal.jam = jam.promise;
    const before = terminal.writes;
    // Long enough for several pictures, had they not to wait.
    const end = performance.now() + 500;
    for (let i = 0; performance.now() < end; i++) await add(`event-${i}`);
    await add("last");
    assert.ok(terminal.writes - before <= 1, `${terminal.writes - before} pictures wait`);
    terminal.jam = undefined;
    jam.resolve();
    await terminal.sees("host.invalid/last");
  });
  assertGivenBack(terminal);
});

Deno.test("runView() gives the terminal back when it fails, or nobody can type any more", async () => {
  const crash = await inView(async (terminal) => {
    await terminal.sees("nothing was decided yet");
    terminal.size = () => {
      throw new Error("a fault of ours");
    };
    terminal.callbacks.get("resize")!();
    await eventually("the end", () => !terminal.isRaw || undefined);
  });
  assert.match(String(crash.error), /a fault of ours/);
  assertGivenBack(crash.terminal);

  const unreadable = await inView(async (terminal) => {
    await eventually("the end", () => terminal.shown.includes(LEAVE) || undefined);
  }, { auditFile: "/proc/self/mem/audit.jsonl" });
  assert.ok(unreadable.error !== undefined);
  assertGivenBack(unreadable.terminal);

  const closed = await inView(async (terminal) => {
    await terminal.sees("nothing was decided yet");
    terminal.type(null);
    await eventually("the end", () => !terminal.isRaw || undefined);
  });
  assert.equal(closed.error, undefined);
  assertGivenBack(closed.terminal);
});

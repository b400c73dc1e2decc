import type { Live } from "../live.ts";
import { waitingIn } from "./approvals.ts";
import { type Key, KeyReader } from "./keys.ts";
import { drawPicture, roomOf } from "./picture.ts";
import type { Scene } from "./scene.ts";
import { Screen } from "./screen.ts";
import type { Terminal } from "./terminal.ts";
import { FIRST_UI, press, selectedIndex, type Ui, visibleRows } from "./ui.ts";
import { visibleText } from "./width.ts";

/** How long a picture stands at least, in milliseconds, whatever happens meanwhile. */
const FRAME_MS = 100;
/** After a key it may follow sooner. */
const KEY_FRAME_MS = 16;
/** How long an escape may be the beginning of something longer. */
const ESCAPE_MS = 50;

/**
 * Shows everything live on a terminal until somebody quits or `signal` aborts.
 * However it ends, the terminal is as it was before. Throws what the file
 * system throws when a log cannot be read.
 */
export async function runView(live: Live, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const view = new View(live, terminal);
  const quit = () => view.quit();
  signal.addEventListener("abort", quit, { once: true });
  if (signal.aborted) quit();
  try {
    await view.run();
  } finally {
    signal.removeEventListener("abort", quit);
  }
}

class View {
  readonly #live: Live;
  readonly #terminal: Terminal;
  readonly #screen: Screen;
  readonly #ended = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  #ui: Ui = FIRST_UI;
  /** What became of the last decision about something that waits. */
  #said = "";
  #frame: ReturnType<typeof setTimeout> | undefined;
  #frameAt = 0;
  #drawnAt = 0;
  #isWriting = false;
  #isDirty = false;

  constructor(live: Live, terminal: Terminal) {
    this.#live = live;
    this.#terminal = terminal;
    this.#screen = new Screen(terminal.colours);
  }

  quit(): void {
    this.#ended.abort();
  }

  async run(): Promise<void> {
    const { signal } = this.#ended;
    const restore = () => {
      this.#terminal.setRaw(false);
      this.#terminal.writeNow(this.#screen.leave());
    };
    const deaf = [
      this.#terminal.on("resize", () => this.#redraw()),
      this.#terminal.on("continue", () => this.#take()),
      this.#terminal.on("stop", () => this.#suspend()),
      this.#live.onChange(() => this.#drawWithin(FRAME_MS)),
    ];
    // Whatever ends the process, its last act is to give the terminal back.
    const lastActs = ["unload", "error", "unhandledrejection"];
    for (const name of lastActs) globalThis.addEventListener(name, restore);
    this.#take();
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
    try {
      this.#readKeys().catch(this.#failure.reject);
      await Promise.race([this.#live.run(signal), aborted, this.#failure.promise]);
    } finally {
      this.#ended.abort();
      clearTimeout(this.#frame);
      for (const end of deaf) end();
      for (const name of lastActs) globalThis.removeEventListener(name, restore);
      restore();
    }
  }

  /** Takes the terminal over, again after a stop. */
  #take(): void {
    this.#terminal.setRaw(true);
    this.#terminal.writeNow(this.#screen.enter());
    this.#redraw();
  }

  #suspend(): void {
    this.#terminal.setRaw(false);
    this.#terminal.writeNow(this.#screen.leave());
    this.#terminal.stop();
  }

  #redraw(): void {
    this.#screen.forget();
    this.#drawWithin(0);
  }

  /** Draws in at most so many milliseconds: what comes until then is in the same picture. */
  #drawWithin(milliseconds: number): void {
    if (this.#ended.signal.aborted) return;
    const now = performance.now();
    const at = Math.max(now, this.#drawnAt + milliseconds);
    if (this.#frame !== undefined) {
      if (at >= this.#frameAt) return;
      clearTimeout(this.#frame);
    }
    this.#frameAt = at;
    this.#frame = setTimeout(() => {
      try {
        this.#draw();
      } catch (cause) {
        this.#failure.reject(cause);
      }
    }, at - now);
  }

  #draw(): void {
    this.#frame = undefined;
    // A terminal that takes nothing now gets the latest picture once it does.
    if (this.#isWriting) {
      this.#isDirty = true;
      return;
    }
    this.#drawnAt = performance.now();
    const text = this.#screen.draw(drawPicture(this.#scene(), this.#terminal.size()));
    if (text === "") return;
    this.#isWriting = true;
    this.#terminal.write(text).then(() => {
      this.#isWriting = false;
      if (this.#isDirty) this.#drawWithin(FRAME_MS);
      this.#isDirty = false;
    }, () => this.quit());
  }

  #scene(): Scene {
    const { board, standing, explainer, options } = this.#live;
    const rows = visibleRows(board, this.#ui);
    const row = this.#ui.isDetailOpen ? rows[selectedIndex(rows, this.#ui)] : undefined;
    const explained = row && explainer.explain(row, board, standing);
    if (row !== undefined) {
      explainer.refresh(row, board, standing)
        .then((isNew) => isNew && this.#drawWithin(KEY_FRAME_MS));
    }
    return {
      board,
      standing,
      ui: this.#ui,
      nowMs: Date.now(),
      explained,
      home: options.env.HOME ?? "",
      scope: options.scope,
      said: this.#said,
    };
  }

  async #readKeys(): Promise<void> {
    const reader = new KeyReader();
    let flush: ReturnType<typeof setTimeout> | undefined;
    while (!this.#ended.signal.aborted) {
      const bytes = await this.#terminal.read();
      clearTimeout(flush);
      if (bytes === null) return this.quit();
      reader.read(bytes).forEach((key) => this.#press(key));
      if (reader.isPending) {
        flush = setTimeout(() => reader.flush().forEach((key) => this.#press(key)), ESCAPE_MS);
      }
    }
  }

  #rule(id: string, verb: "approve" | "deny"): void {
    this.#said = "…";
    this.#live.rule(id, verb, "monitor").then((ruled) => {
      this.#said = visibleText(ruled.ok ? ruled.value.state : ruled.error.message);
      this.#drawWithin(KEY_FRAME_MS);
    }, this.#failure.reject);
  }

  #press(key: Key): void {
    if (this.#ended.signal.aborted) return;
    const room = roomOf(this.#scene(), this.#terminal.size());
    const { ui, action, rule } = press(this.#ui, key, {
      board: this.#live.board,
      waiting: waitingIn(this.#live.standing).map(({ approval_id }) => approval_id),
      listHeight: room.list,
      detailHeight: room.detail,
    });
    this.#ui = ui;
    this.#said = "";
    if (rule !== undefined) this.#rule(rule.id, rule.verb);
    if (action === "quit") return this.quit();
    if (action === "suspend") return this.#terminal.askToStop();
    if (action === "redraw") return this.#redraw();
    this.#drawWithin(KEY_FRAME_MS);
  }
}

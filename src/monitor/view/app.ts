import type { Environment } from "../../config/paths.ts";
import { RowExplainer } from "../explainer.ts";
import { followEntries, type FollowOptions } from "../follow.ts";
import { Board } from "../model/board.ts";
import { matchesEntry } from "../source/entry_filter.ts";
import type { EventFilter } from "../source/event_filter.ts";
import { lookAround } from "../standing/look.ts";
import { NOTHING_RUNS, type Standing } from "../standing/standing.ts";
import { type Key, KeyReader } from "./keys.ts";
import { drawPicture, roomOf } from "./picture.ts";
import type { Scene } from "./scene.ts";
import { Screen } from "./screen.ts";
import type { Terminal } from "./terminal.ts";
import { FIRST_UI, press, selectedIndex, type Ui, visibleRows } from "./ui.ts";

/** How long a picture stands at least, in milliseconds, whatever happens meanwhile. */
const FRAME_MS = 100;
/** After a key it may follow sooner. */
const KEY_FRAME_MS = 16;
/** How often to look at what runs. */
const LOOK_MS = 1_000;
/** How long an escape may be the beginning of something longer. */
const ESCAPE_MS = 50;

/** What to show, and where it is from. */
export interface ViewOptions extends Omit<FollowOptions, "isShown" | "follow"> {
  readonly filter: EventFilter;
  /** Says what the filter leaves; `""`: everything. */
  readonly scope: string;
  readonly env: Environment;
  /** Where policies are looked for when a session does not say. */
  readonly directory: string;
}

/**
 * Shows everything live on a terminal until somebody quits or `signal` aborts.
 * However it ends, the terminal is as it was before. Throws what the file
 * system throws when a log cannot be read.
 */
export async function runView(
  options: ViewOptions,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const view = new View(options, terminal);
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
  readonly #options: ViewOptions;
  readonly #terminal: Terminal;
  readonly #screen: Screen;
  readonly #explainer: RowExplainer;
  readonly #board = new Board();
  readonly #ended = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  #standing: Standing = NOTHING_RUNS;
  #ui: Ui = FIRST_UI;
  #frame: ReturnType<typeof setTimeout> | undefined;
  #frameAt = 0;
  #drawnAt = 0;
  #isWriting = false;
  #isDirty = false;

  constructor(options: ViewOptions, terminal: Terminal) {
    this.#options = options;
    this.#terminal = terminal;
    this.#screen = new Screen(terminal.colours);
    this.#explainer = new RowExplainer(options.env, options.directory);
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
    ];
    // Whatever ends the process, its last act is to give the terminal back.
    const lastActs = ["unload", "error", "unhandledrejection"];
    for (const name of lastActs) globalThis.addEventListener(name, restore);
    this.#take();
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true })
    );
    try {
      const following = followEntries(
        {
          ...this.#options,
          isShown: (entry) => matchesEntry(this.#options.filter, entry),
          follow: true,
        },
        (entry) => {
          if (!matchesEntry(this.#options.filter, entry)) return;
          this.#board.add(entry);
          this.#drawWithin(FRAME_MS);
        },
        signal,
      );
      const failed = this.#failure.promise;
      this.#readKeys().catch(this.#failure.reject);
      this.#lookAgainAndAgain().catch(this.#failure.reject);
      await Promise.race([following, aborted, failed]);
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
    const rows = visibleRows(this.#board, this.#ui);
    const row = this.#ui.isDetailOpen ? rows[selectedIndex(rows, this.#ui)] : undefined;
    const explained = row && this.#explainer.explain(row, this.#board, this.#standing);
    if (row !== undefined) {
      this.#explainer.refresh(row, this.#board, this.#standing)
        .then((isNew) => isNew && this.#drawWithin(KEY_FRAME_MS));
    }
    return {
      board: this.#board,
      standing: this.#standing,
      ui: this.#ui,
      nowMs: Date.now(),
      explained,
      home: this.#options.env.HOME ?? "",
      scope: this.#options.scope,
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

  #press(key: Key): void {
    if (this.#ended.signal.aborted) return;
    const room = roomOf(this.#scene(), this.#terminal.size());
    const { ui, action } = press(this.#ui, key, {
      board: this.#board,
      listHeight: room.list,
      detailHeight: room.detail,
    });
    this.#ui = ui;
    if (action === "quit") return this.quit();
    if (action === "suspend") return this.#terminal.askToStop();
    if (action === "redraw") return this.#redraw();
    this.#drawWithin(KEY_FRAME_MS);
  }

  async #lookAgainAndAgain(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      this.#standing = await lookAround(this.#options.env);
      this.#drawWithin(FRAME_MS);
      await waitUnless(signal, LOOK_MS);
    }
  }
}

async function waitUnless(signal: AbortSignal, milliseconds: number): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = () => resolve();
  const timer = setTimeout(end, milliseconds);
  signal.addEventListener("abort", end, { once: true });
  await promise;
  signal.removeEventListener("abort", end);
  clearTimeout(timer);
}

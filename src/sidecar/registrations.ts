import { ok, type Result } from "../core/result.ts";
import type { Notify } from "./notices.ts";
import type { OpenedSession, SessionRequest } from "./sessions.ts";

/** Notices that wait for somebody who does not read; later ones are left out. */
const MOST_WAITING = 64;

/** What keeping registrations needs. */
export interface RegistrationsOptions {
  openSession(request: SessionRequest): Promise<Result<OpenedSession>>;
  endSession(sessionId: string): Promise<unknown>;
  /** The first line of a stream. */
  describe(session: OpenedSession): unknown;
}

interface Notice {
  readonly type: "notice";
  readonly level: string;
  readonly text: string;
}

interface Line {
  write(value: unknown): void;
  close(): void;
}

/**
 * Sessions that live as long as the connections which registered them. Each has a stream of JSON
 * lines: first the session, then what its operator should know. The stream ends with the session,
 * and when its reader is gone, however that one ended, so does the session.
 */
export class Registrations {
  readonly #options: RegistrationsOptions;
  readonly #lines = new Map<string, Line>();
  /** What was said of sessions whose streams are not there yet. */
  readonly #early = new Map<string, Notice[]>();
  #opening = 0;

  constructor(options: RegistrationsOptions) {
    this.#options = options;
  }

  /** Opens a session, and the stream that it lives with. */
  async open(request: SessionRequest): Promise<Result<ReadableStream<Uint8Array>>> {
    this.#opening++;
    const opened = await this.#options.openSession(request).finally(() => this.#opening--);
    if (!opened.ok) return opened;
    const { sessionId } = opened.value;
    const early = this.#early.get(sessionId) ?? [];
    if (this.#opening === 0) this.#early.clear();
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        const line = lineOf(controller);
        line.write(this.#options.describe(opened.value));
        for (const notice of early) line.write(notice);
        this.#lines.set(sessionId, line);
      },
      cancel: async () => {
        this.#lines.delete(sessionId);
        await this.#options.endSession(sessionId);
      },
    }, new CountQueuingStrategy({ highWaterMark: MOST_WAITING }));
    return ok(stream);
  }

  /** Writes a notice to the stream of the session that it concerns, or to all. */
  readonly tell: Notify = (level, text, sessionId) => {
    const notice: Notice = { type: "notice", level, text };
    for (const [id, line] of this.#lines) {
      if (sessionId === undefined || sessionId === id) line.write(notice);
    }
    if (sessionId === undefined || this.#opening === 0 || this.#lines.has(sessionId)) return;
    this.#early.set(sessionId, [...this.#early.get(sessionId) ?? [], notice]);
  };

  /** Ends the stream of a session that has ended. */
  close(sessionId: string): void {
    this.#lines.get(sessionId)?.close();
    this.#lines.delete(sessionId);
  }

  /** Ends all streams. */
  closeAll(): void {
    for (const id of [...this.#lines.keys()]) this.close(id);
  }
}

function lineOf(controller: ReadableStreamDefaultController<Uint8Array>): Line {
  const encoder = new TextEncoder();
  return {
    write(value) {
      if ((controller.desiredSize ?? 0) <= 0) return;
      controller.enqueue(encoder.encode(`${JSON.stringify(value)}\n`));
    },
    close: () => controller.close(),
  };
}

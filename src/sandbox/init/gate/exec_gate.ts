import type { Execution, GateMessage, SidecarMessage } from "../../../core/local_exec.ts";
import { describe, type Found, identify, LONGEST_NAME, questionKey } from "./describe.ts";
import { release, type Stopped } from "./exec_stop.ts";
import { Executing } from "./executing.ts";
import { executionExpected, type Expected, startedAs } from "./expected.ts";
import { findOut } from "./find_out.ts";
import { governedBy } from "./governed.ts";
import { heldFiles } from "./held_files.ts";
import { ERRNO, libc } from "./libc.ts";
import { type Attempt, ExecListener } from "./listener.ts";
import { readCall } from "./memory.ts";
import { Programs } from "./program.ts";
import { RecentRefusals } from "./recent_refusals.ts";
import { Spool } from "./spool.ts";
import { Subjects } from "./subjects.ts";
import { Wire } from "./wire.ts";

/** What the gate is told before it begins. */
export interface GateOrders {
  /** Where the kernel asks. */
  readonly listener: number;
  /** The session's socket. */
  readonly socket: string;
  /** What firma itself executes before the agent's command, in this order. */
  readonly own: readonly string[];
  /** How many of these build the sandbox: what the Sidecar says first is taken in while they do. */
  readonly builders: number;
  /** Where governed programs lie, as in `PATH`. */
  readonly path: string;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The only programs that are asked about, by name or absolute path; absent: all. */
  readonly only?: readonly string[] | undefined;
}

interface Asked {
  readonly attempt: Attempt;
  readonly found: Found;
  /** Milliseconds; `Infinity` while a person is asked. */
  until: number;
}

const MOST_ASKED = 64;
const MOST_UNSENT = 1024 * 1024;
const MOST_STANDING = 4096;
const LONGEST = { path: 4096, first: LONGEST_NAME };
const EFAULT = 14;

const POLLIN = 1;
const POLLOUT = 4;
const ENDED = 0x8 | 0x10 | 0x20;
const PR_SET_TIMERSLACK = 29;

const TICK_MS = 1_000;
/** What runs by standing answers is told together: at most so many, and so long afterwards. */
const MOST_UNTOLD = 128;
const TELL_MS = 100;

/**
 * Answers for every program that anything in the sandbox is about to execute. One thread, which
 * waits for the kernel, the Sidecar and stopped programs at once: no question holds up another.
 */
export class ExecGate {
  readonly #orders: GateOrders;
  readonly #listener: ExecListener;
  readonly #programs = new Programs();
  readonly #asked = new Map<number, Asked>();
  readonly #executing = new Executing<Expected>((...stopped) => this.#stopped(...stopped));
  readonly #standing = new Set<string>();
  readonly #refused = new RecentRefusals();
  readonly #spool: Spool | undefined;
  /** How many programs run by standing answers of which the Sidecar has not been told, since when. */
  #untold = 0;
  #untoldSince = 0;
  #governed: ReadonlySet<string> | undefined;
  #deleting: ReadonlySet<string> = new Set();
  #subjects = new Subjects(undefined, []);
  #early: Attempt[] = [];
  #wire: Wire | undefined;
  #own = 0;
  #number = 0;
  #connectedAt = 0;

  constructor(orders: GateOrders) {
    this.#orders = orders;
    this.#listener = new ExecListener(orders.listener);
    this.#spool = Spool.open(orders.socket);
  }

  /**
   * Answers until nothing is left that could ask. Whoever waits when it ends is refused: closing the
   * listener would not wake a child that still has a copy of it.
   */
  run(): void {
    try {
      this.#run();
    } finally {
      this.#lost();
    }
  }

  #run(): void {
    libc.prctl(PR_SET_TIMERSLACK, 1n, 0n, 0n, 0n);
    // `struct pollfd` of the kernel and of the Sidecar: a descriptor, what for, and what has come.
    const descriptors = new Int32Array(4);
    const events = new Int16Array(descriptors.buffer);
    const polled = new Uint8Array(descriptors.buffer);
    const patience = new Int32Array(4);
    const timespec = new Uint8Array(patience.buffer);
    events[2] = POLLIN;
    this.#connect();
    let nextTick = performance.now() + TICK_MS;
    for (;;) {
      const isUnsent = this.#wire !== undefined && this.#wire.unsent > 0;
      const isFull = this.#openQuestions() >= MOST_ASKED ||
        (isUnsent && this.#wire!.unsent > MOST_UNSENT);
      descriptors[0] = isFull ? -1 : this.#orders.listener;
      descriptors[2] = this.#isStarting ? -1 : this.#wire?.descriptor ?? -1;
      events[6] = isUnsent ? POLLIN | POLLOUT : POLLIN;
      events[3] = events[7] = 0;
      patience[2] = this.#patience();
      const ready = libc.ppoll(polled, 2n, timespec, null);
      const kernel = events[3]!;
      const sidecar = events[7]!;
      this.#executing.look();
      if (ready === 0) this.#tellUntold();
      if (sidecar & (POLLIN | ENDED)) this.#hear();
      if (sidecar & POLLOUT && this.#wire?.flush() === false) this.#lost();
      if (kernel & POLLIN) {
        const attempt = this.#listener.receive();
        if (attempt !== undefined) this.#take(attempt);
      } else if (kernel & ENDED) return;
      if (performance.now() >= nextTick) {
        nextTick = performance.now() + TICK_MS;
        this.#tick();
      }
    }
  }

  get #isStarting(): boolean {
    return this.#own < this.#orders.builders;
  }

  /** Nanoseconds, less than a second of them. */
  #patience(): number {
    return this.#executing.patience() ?? (this.#untold > 0 ? TELL_MS : TICK_MS) * 999_999;
  }

  #openQuestions(): number {
    if (this.#asked.size === 0) return this.#early.length;
    let open = 0;
    for (const { until } of this.#asked.values()) if (until !== Infinity) open++;
    return open + this.#early.length;
  }

  #take(attempt: Attempt): void {
    try {
      this.#consider(attempt);
    } catch (cause) {
      this.#refuse(attempt, ERRNO.EPERM);
      throw cause;
    }
  }

  /** Asks for whatever an attempt is about, unless that is known already. */
  #consider(attempt: Attempt): void {
    const { path, first } = readCall(attempt.pid, attempt, LONGEST);
    if (typeof path !== "string") {
      return this.#refuse(attempt, path.fault === "too long" ? ERRNO.ENAMETOOLONG : EFAULT);
    }
    if (this.#own < this.#orders.own.length) {
      if (!this.#listener.isWaiting(attempt)) return;
      return this.#letOwnRun(attempt, path);
    }
    if (this.#wire === undefined) this.#connect();
    if (this.#wire === undefined) return this.#refuse(attempt, ERRNO.EPERM);
    if (this.#governed === undefined) {
      this.#early.push(attempt);
      return;
    }
    const identified = identify(attempt, path, this.#programs, this.#governed, first);
    if (typeof identified === "number") return this.#refuse(attempt, identified);
    if (!this.#subjects.include(identified)) {
      if (!this.#listener.isWaiting(attempt)) return;
      return this.#letGo(attempt, { kind: "free", identified });
    }
    const stands = identified.key !== undefined && this.#standing.has(identified.key);
    if (stands && this.#spool?.isFull === false) {
      if (!this.#listener.isWaiting(attempt)) return;
      return this.#letGo(attempt, { kind: "standing", identified });
    }
    const found = describe(attempt, identified, this.#programs);
    if (typeof found === "number") return this.#refuse(attempt, found);
    const question = questionKey(found);
    if (question !== undefined && this.#standing.has(question) && this.#spool?.isFull === false) {
      if (!this.#listener.isWaiting(attempt)) return;
      return this.#letGo(attempt, { kind: "again", found });
    }
    const held = heldFiles(this.#programs, attempt.pid, found.execution, this.#deleting);
    if (!this.#listener.isWaiting(attempt)) return;
    if (this.#refused.isRetry(found, performance.now())) {
      return this.#refuse(attempt, ERRNO.EPERM);
    }
    const number = ++this.#number;
    const { execution } = found;
    if (!this.#tell({ kind: "ask", number, execution, ...(held && { held }) })) {
      return this.#refuse(attempt, ERRNO.EPERM);
    }
    const until = performance.now() + this.#orders.timeoutMs;
    this.#asked.set(number, { attempt, found, until });
  }

  /** What comes before the agent is known by its place: nothing else can ask by then. */
  #letOwnRun(attempt: Attempt, path: string): void {
    const expected = this.#orders.own[this.#own++];
    if (path !== expected) {
      throw new Error(`"${path}" is executed where "${expected}" should be`);
    }
    this.#letGo(attempt, undefined);
  }

  #letGo(attempt: Attempt, expected: Expected | undefined): void {
    const isRunning = this.#executing.letRun(
      attempt.pid,
      expected,
      () => this.#listener.allow(attempt),
    );
    if (isRunning) return;
    if (expected === undefined) throw new Error("ptrace is refused");
    this.#refuse(attempt, ERRNO.EPERM);
  }

  /** Whoever does not wait any more, and may not be who was read, hears nothing of it. */
  #refuse(attempt: Attempt, error: number): void {
    this.#listener.refuse(attempt, error);
  }

  #stopped(stopped: Stopped, expected: Expected | undefined): void {
    const { pid, how } = stopped;
    if (how === "failed" || expected === undefined) return release(stopped);
    const started = startedAs(pid, expected);
    const detail = typeof started === "string" ? started : this.#faultOf(started, expected);
    if (detail === undefined) return release(stopped);
    this.#executing.end(pid);
    this.#tell({ kind: "ended", execution: executionExpected(pid, expected), detail });
  }

  /** Writes down what is not on record yet; says why that must not run otherwise. */
  #faultOf(started: Execution, { kind }: Expected): string | undefined {
    if (kind === "decided" || kind === "free") return;
    if (!this.#spool!.add(started)) return "its record cannot be written down";
    this.#tellLater();
  }

  #tellLater(): void {
    const now = performance.now();
    if (this.#untold++ === 0) this.#untoldSince = now;
    const isDue = this.#untold >= MOST_UNTOLD || now > this.#untoldSince + TELL_MS;
    if (isDue) this.#tellUntold();
  }

  #tellUntold(): void {
    if (this.#untold > 0 && this.#wire !== undefined) this.#send([]);
  }

  #tell(message: GateMessage): boolean {
    return this.#send([message]);
  }

  /** Says everything in the order in which it happened. */
  #send(messages: GateMessage[]): boolean {
    if (this.#untold > 0) messages.unshift({ kind: "ran", to: this.#spool!.end });
    this.#untold = 0;
    if (this.#wire?.send(messages)) return true;
    this.#lost();
    return false;
  }

  #connect(): void {
    this.#wire = Wire.open(this.#orders.socket);
    this.#connectedAt = performance.now();
    if (this.#wire === undefined || this.#spool === undefined) return;
    const { taken, end } = this.#spool;
    const left: GateMessage[] = taken < end ? [{ kind: "ran", to: end }] : [];
    if (!this.#wire.send([{ kind: "spool", from: taken }, ...left])) this.#lost();
  }

  /** Without the Sidecar nothing is allowed, and nothing stands. */
  #lost(): void {
    this.#wire?.close();
    this.#wire = undefined;
    this.#governed = undefined;
    this.#standing.clear();
    this.#untold = 0;
    for (const { attempt } of this.#asked.values()) this.#refuse(attempt, ERRNO.EPERM);
    this.#asked.clear();
    for (const attempt of this.#early) this.#refuse(attempt, ERRNO.EPERM);
    this.#early = [];
  }

  #hear(): void {
    const messages = this.#wire?.receive();
    if (messages === undefined) return this.#lost();
    for (const message of messages) this.#obey(message);
  }

  #obey(message: SidecarMessage): void {
    switch (message.kind) {
      case "hello": {
        const { governed, deleting, subjects, known } = governedBy(message, this.#orders);
        this.#governed = governed;
        this.#deleting = deleting;
        this.#subjects = subjects;
        this.#programs.known = known;
        const early = this.#early;
        this.#early = [];
        for (const attempt of early) this.#take(attempt);
        return;
      }
      case "forget":
        return this.#standing.clear();
      case "taken":
        return this.#spool?.release(message.to);
      case "held": {
        const asked = this.#asked.get(message.number);
        if (asked !== undefined) asked.until = Infinity;
        return;
      }
      case "count":
      case "state": {
        const asked = this.#asked.get(message.number);
        if (asked === undefined) return;
        const { attempt, found } = asked;
        this.#tell(findOut(message, this.#programs, attempt.pid, found.execution));
        return;
      }
      case "answer": {
        const { number, allow, standing } = message;
        const asked = this.#asked.get(number);
        if (asked === undefined) return;
        this.#asked.delete(number);
        const { attempt, found } = asked;
        if (!this.#listener.isWaiting(attempt)) return void this.#tell({ kind: "gone", number });
        if (allow !== true) {
          this.#refused.note(found, performance.now());
          return this.#refuse(attempt, ERRNO.EPERM);
        }
        const key = standing === "program" ? found.identified.key : questionKey(found);
        if (standing !== undefined && key !== undefined) {
          if (this.#standing.size >= MOST_STANDING) this.#standing.clear();
          this.#standing.add(key);
        }
        return this.#letGo(attempt, { kind: "decided", found });
      }
    }
  }

  /** Refuses what waited too long, and forgets who did not wait. */
  #tick(): void {
    const now = performance.now();
    // What ran is told to the Sidecar that comes after one which did not take it any more.
    const hasLeft = this.#spool !== undefined && this.#spool.taken < this.#spool.end;
    if (this.#wire === undefined && hasLeft) this.#connect();
    const isSilent = this.#wire && !this.#isStarting && this.#governed === undefined;
    if (isSilent && now > this.#connectedAt + this.#orders.timeoutMs) return this.#lost();
    for (const [number, { attempt, until }] of this.#asked) {
      const isGone = !this.#listener.isWaiting(attempt);
      if (!isGone && until > now) continue;
      this.#asked.delete(number);
      if (!isGone) this.#refuse(attempt, ERRNO.EPERM);
      this.#tell({ kind: "gone", number });
    }
  }
}

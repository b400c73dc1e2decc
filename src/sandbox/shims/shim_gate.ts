import type { Execution, GateMessage, SidecarMessage } from "../../core/local_exec.ts";
import { basename } from "../../core/path.ts";
import { describe, type Identified, identify } from "../init/gate/describe.ts";
import { type FileIdentity, identityAt, isSameFile } from "../init/gate/file.ts";
import { findOut } from "../init/gate/find_out.ts";
import { governedBy } from "../init/gate/governed.ts";
import { heldFiles } from "../init/gate/held_files.ts";
import { libc } from "../init/gate/libc.ts";
import { Programs } from "../init/gate/program.ts";
import { Subjects } from "../init/gate/subjects.ts";
import { Wire } from "../init/gate/wire.ts";
import { type Started, startedAs } from "./asker_process.ts";
import { allow, type Asker, deny, Endpoint, isWaiting } from "./endpoint.ts";
import {
  byShim,
  ExecutedNames,
  makePlaces,
  nextDescriptor,
  type Shim,
  type ShimPlaces,
  socketIn,
  writeShims,
} from "./places.ts";
import { shimTargets } from "./targets.ts";

/** What the gate of shims is told before it begins. */
export interface ShimOrders {
  readonly places: ShimPlaces;
  /** The session's socket. */
  readonly socket: string;
  /** What firma itself executes in the inner layer before the agent's command, in this order. */
  readonly own: readonly string[];
  /** Where governed programs lie, as in `PATH`. */
  readonly path: string;
  /** How long an answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** The only programs that are asked about, by name or absolute path; absent: what rules name. */
  readonly only?: readonly string[] | undefined;
}

interface Question {
  readonly asker: Asker;
  /** The real file that the asker's shim stands for. */
  readonly file: string;
  readonly execution: Execution;
  /** Milliseconds; `Infinity` while a person is asked. */
  until: number;
}

const MOST_ASKED = 64;
const MOST_OPEN = 512;
const MOST_UNSENT = 1024 * 1024;
const TICK_MS = 1_000;
const POINTER = 8;

const POLLIN = 1;
const POLLOUT = 4;
const LEFT = 0x2000; // POLLRDHUP
const ENDED = 0x8 | 0x10 | 0x20 | LEFT;

/** Why nothing runs, as the agent reads it. */
const REASONS = {
  denied: "Operation not permitted: a policy decision, not a fault",
  sidecar: "Operation not permitted: the Sidecar does not answer",
  unknown: "Operation not permitted: it cannot be told what this would run",
} as const;

/**
 * Answers the shims that stand in the places of governed programs, where the kernel does not ask. One
 * thread, which waits for shims and the Sidecar at once: no question holds up another.
 */
export class ShimGate {
  readonly #orders: ShimOrders;
  readonly #endpoint: Endpoint;
  readonly #programs = new Programs();
  readonly #names: ExecutedNames;
  readonly #asked = new Map<number, Question>();
  #own: string[];
  #real: ReadonlyMap<string, string> = new Map();
  #early: Asker[] = [];
  #governed: ReadonlySet<string> | undefined;
  #deleting: ReadonlySet<string> = new Set();
  #subjects = new Subjects(undefined, []);
  #wire: Wire | undefined;
  #connectedAt = 0;
  #number = 0;

  /** @throws {Error} when it cannot listen. */
  constructor(orders: ShimOrders) {
    this.#orders = orders;
    this.#own = [...orders.own];
    this.#names = new ExecutedNames(orders.places);
    makePlaces(orders.places);
    this.#endpoint = Endpoint.open(socketIn(orders.places));
  }

  /**
   * Hears from the Sidecar what is governed, and writes a shim for each such program.
   *
   * @throws {Error} when the Sidecar does not say.
   */
  prepare(): readonly Shim[] {
    this.#connect();
    while (this.#wire !== undefined && this.#governed === undefined) this.#turn(false);
    if (this.#governed === undefined) throw new Error("the Sidecar does not answer");
    const { only, path, places } = this.#orders;
    const names = only === undefined ? this.#governed : this.#subjects.names;
    const targets = shimTargets({ names, path, paths: this.#subjects.paths });
    const shims = writeShims(places, targets);
    this.#real = byShim(shims);
    this.#programs.standIns = this.#real;
    const real = new Set(targets);
    this.#own = this.#own.map((each) => Deno.realPathSync(each)).filter((each) => real.has(each));
    return shims;
  }

  /** Answers until the process ends. */
  run(): never {
    try {
      for (;;) this.#turn(true);
    } finally {
      this.#lost();
      this.#endpoint.close();
    }
  }

  /** Waits until something happens, a second at most, and deals with it. */
  #turn(isOpen: boolean): void {
    const questions = [...this.#asked];
    const polled = new Uint8Array(8 * (2 + questions.length));
    const view = new DataView(polled.buffer);
    const watch = (index: number, descriptor: number, events: number) => {
      view.setInt32(8 * index, descriptor, true);
      view.setInt16(8 * index + 4, events, true);
    };
    const unsent = this.#wire?.unsent ?? 0;
    const isFull = this.#openQuestions() >= MOST_ASKED || unsent > MOST_UNSENT;
    watch(0, isOpen && !isFull ? this.#endpoint.descriptor : -1, POLLIN);
    watch(1, this.#wire?.descriptor ?? -1, unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    questions.forEach(([, { asker }], index) => watch(2 + index, asker.descriptor, LEFT));
    const patience = new Uint8Array(16);
    new DataView(patience.buffer).setBigInt64(8, BigInt(TICK_MS) * 999_999n, true);
    libc.ppoll(polled, BigInt(2 + questions.length), patience, null);
    const happened = (index: number) => view.getInt16(8 * index + 6, true);
    if (happened(1) & (POLLIN | ENDED)) this.#hear();
    if (happened(1) & POLLOUT && this.#wire?.flush() === false) this.#lost();
    questions.forEach(([number], index) => {
      if (happened(2 + index) & ENDED) this.#gone(number);
    });
    if (happened(0) & POLLIN) {
      const asker = this.#endpoint.accept();
      if (asker !== undefined) this.#take(asker);
    }
    this.#tick();
  }

  #openQuestions(): number {
    let open = 0;
    for (const { until } of this.#asked.values()) if (until !== Infinity) open++;
    return open + this.#early.length;
  }

  #take(asker: Asker): void {
    const file = this.#fileOf(asker);
    if (file === undefined) {
      return deny(asker, "firma: not run: what stands for a governed program cannot be copied\n");
    }
    if (this.#own.length > 0) return this.#letOwnRun(asker, file);
    if (this.#wire === undefined) this.#connect();
    if (this.#wire === undefined || this.#asked.size >= MOST_OPEN) {
      return this.#deny(asker, file, "sidecar");
    }
    if (this.#governed === undefined) {
      this.#early.push(asker);
      return;
    }
    const started = startedAs(asker.pid);
    const execution = this.#describe(started, file);
    if (execution === undefined) return this.#deny(asker, file, "unknown");
    if (execution === "free") return this.#allow(asker, file, started);
    const held = heldFiles(this.#programs, asker.pid, execution, this.#deleting);
    const number = ++this.#number;
    this.#asked.set(number, { asker, file, execution, until: performance.now() + this.#timeout });
    this.#tell({ kind: "ask", number, execution, ...(held && { held }) });
  }

  get #timeout(): number {
    return this.#orders.timeoutMs;
  }

  /** What the program of an asker stands for, as the kernel knows it; `undefined` for no shim. */
  #fileOf({ pid }: Asker): string | undefined {
    const identity = identityAt(`/proc/${pid}/exe`);
    return identity === undefined ? undefined : this.#real.get(identity.place);
  }

  /** What comes before the agent is known by its place: nothing else can ask by then. */
  #letOwnRun(asker: Asker, file: string): void {
    const expected = this.#own.shift();
    if (file !== expected) {
      this.#deny(asker, file, "unknown");
      throw new Error(`"${file}" is executed where "${expected}" should be`);
    }
    this.#allow(asker, file, startedAs(asker.pid));
  }

  /** What an asker is about to become; `free` where nobody is asked about it. */
  #describe(started: Started | undefined, file: string): Execution | "free" | undefined {
    const governed = this.#governed;
    const runs = identityAt(file);
    if (started === undefined || governed === undefined || runs === undefined) return undefined;
    const found = this.#identify(started, file, runs, governed);
    if (found === undefined) return undefined;
    if (!this.#subjects.include(found.identified)) return "free";
    const described = describe(found.started, found.identified, this.#programs);
    if (typeof described === "number") return undefined;
    return { ...described.execution, gate: "shims" };
  }

  /** Finds the program by the path that was executed; where that leads elsewhere, by its shim. */
  #identify(
    started: Started,
    file: string,
    runs: FileIdentity,
    governed: ReadonlySet<string>,
  ): { readonly started: Started; readonly identified: Identified } | undefined {
    const { calledAs } = started;
    for (const path of calledAs === undefined ? [file] : [calledAs, file]) {
      const identified = identify(started, path, this.#programs, governed);
      if (typeof identified === "number" || !isSameFile(identified.runs, runs)) continue;
      const { length } = identified.front;
      if (length === 0) return { started, identified };
      // The kernel has put what runs a script in front of its path, in the place of its first argument.
      const own = { ...started, argv: started.argv + BigInt(POINTER * length) };
      const script = identify(own, path, this.#programs, governed);
      if (typeof script !== "number") return { started: own, identified: script };
    }
    return undefined;
  }

  #allow(asker: Asker, file: string, started: Started | undefined): void {
    const number = nextDescriptor(asker.pid);
    if (number === undefined) return this.#deny(asker, file, "unknown");
    allow(asker, file, this.#names.pathOf(number, basename(started?.calledAs || file)));
  }

  #deny(asker: Asker, file: string, reason: keyof typeof REASONS): void {
    deny(asker, `firma: ${basename(file)}: ${REASONS[reason]}\n`);
  }

  #tell(message: GateMessage): void {
    if (this.#wire?.send([message]) === false) this.#lost();
  }

  #connect(): void {
    this.#wire = Wire.open(this.#orders.socket);
    this.#connectedAt = performance.now();
  }

  /** Without the Sidecar nothing is allowed. */
  #lost(): void {
    this.#wire?.close();
    this.#wire = undefined;
    this.#governed = undefined;
    for (const { asker, file } of this.#asked.values()) this.#deny(asker, file, "sidecar");
    this.#asked.clear();
    for (const asker of this.#early) this.#deny(asker, "program", "sidecar");
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
        for (const asker of early) this.#take(asker);
        return;
      }
      case "forget":
        return; // no answer stands for another here
      case "held": {
        const question = this.#asked.get(message.number);
        if (question !== undefined) question.until = Infinity;
        return;
      }
      case "count":
      case "state": {
        const question = this.#asked.get(message.number);
        if (question === undefined) return;
        const { asker, execution } = question;
        return this.#tell(findOut(message, this.#programs, asker.pid, execution));
      }
      case "answer":
        return this.#answer(message.number, message.allow === true);
    }
  }

  #answer(number: number, isAllowed: boolean): void {
    const question = this.#asked.get(number);
    if (question === undefined) return;
    const { asker, file, execution } = question;
    if (!isWaiting(asker)) return this.#gone(number);
    this.#asked.delete(number);
    if (!isAllowed) return this.#deny(asker, file, "denied");
    const started = this.#fileOf(asker) === file ? startedAs(asker.pid) : undefined;
    const now = JSON.stringify(this.#describe(started, file));
    if (now === JSON.stringify(execution)) return this.#allow(asker, file, started);
    this.#deny(asker, file, "unknown");
    this.#tell({ kind: "ended", execution, detail: "what asked is not what was decided" });
  }

  /** Forgets who does not wait, or says what a shim does not. */
  #gone(number: number): void {
    const question = this.#asked.get(number);
    if (question === undefined) return;
    this.#asked.delete(number);
    this.#deny(question.asker, question.file, "unknown");
    this.#tell({ kind: "gone", number });
  }

  /** Refuses what has waited too long. */
  #tick(): void {
    const now = performance.now();
    const isSilent = this.#wire !== undefined && this.#governed === undefined;
    if (isSilent && now > this.#connectedAt + this.#timeout) return this.#lost();
    for (const [number, { asker, file, until }] of this.#asked) {
      if (until > now) continue;
      this.#asked.delete(number);
      this.#deny(asker, file, "sidecar");
      this.#tell({ kind: "gone", number });
    }
  }
}

import type { ApprovalDesk } from "../../approvals/answer.ts";
import type { ActionClass } from "../../core/action_class.ts";
import { classifyExecution, SYSTEM_EXECUTE } from "../../commands/classify.ts";
import type { CommandTable, MatchedCommand } from "../../commands/table.ts";
import { CARRIERS } from "../../commands/views.ts";
import type { Execution, GateMessage, HeldFiles, SidecarMessage } from "../../core/local_exec.ts";
import { countsInSession } from "../../core/session_state.ts";
import type { Denial, SessionView } from "../pipeline/draft.ts";
import { isObservable } from "../pipeline/observation.ts";
import { isStillPermitted } from "../pipeline/policy.ts";
import type { EventSink } from "../pipeline/record.ts";
import type { SessionTable } from "../pipeline/session_table.ts";
import { type ApprovalConfig, settle } from "../pipeline/settle.ts";
import {
  admit,
  decideExecution,
  type ExecSurroundings,
  type ExecVerdict,
  UNCHANGEABLE,
} from "./decide.ts";
import { type Classified, toClassified } from "./envelope.ts";
import { execEvent } from "./exec_event.ts";
import { filesAmong } from "./held_files.ts";
import { broken, CHANGED, execSubject, type FileStates, unaskableOf } from "./hold.ts";
import type { KnownStubs } from "../stores/known_stubs.ts";
import { Waiting } from "../waiting.ts";
import { readMessages } from "./read_messages.ts";
import { SpoolReader } from "./spool_reader.ts";
import { standsFor } from "./stable.ts";
import { type StandingAnswer, StandingAnswers } from "./standing_answers.ts";
import type { GateConnection } from "./gate_connection.ts";

/** What answering a gate needs. */
export interface GateLineOptions extends ExecSurroundings {
  readonly table: CommandTable;
  readonly sessions: SessionTable;
  readonly sink: EventSink;
  /** The stubs of secret stores, which do nothing themselves. @default {there are none} */
  readonly stubs?: KnownStubs | undefined;
  /** Where approvals are kept, and how executions wait for them; without it nobody is asked. */
  readonly approvals?: { readonly desk: ApprovalDesk; readonly config: ApprovalConfig } | undefined;
}

/** An execution that waits until its files are counted. */
interface Counting {
  readonly execution: Execution;
  readonly matches: readonly MatchedCommand[];
  readonly files: (number | undefined)[];
  /** What the gate has counted already. */
  readonly held: readonly HeldFiles[];
  readonly startedMs: number;
}

/** An execution that is to be decided. */
interface Asked {
  readonly number: number;
  readonly execution: Execution;
  readonly classified: Classified;
  readonly startedMs: number;
}

/** What is decided of an execution at a moment. */
interface Decided {
  readonly session: SessionView;
  readonly verdict: ExecVerdict;
  readonly approvalId?: string | undefined;
}

/** The gate of a sandbox waits for no more at once; what comes on top is answered instead. */
const MOST_HELD = 32;

/** The connection with the execution gate of one session. */
export class GateLine {
  readonly #sessionId: string;
  readonly #reader: GateConnection;
  readonly #directory: string;
  #spool: SpoolReader | undefined;
  #isCatchingUp = false;
  readonly #options: GateLineOptions;
  /** Names of programs whose arguments decide what they do. */
  readonly #governed: ReadonlySet<string>;
  readonly #standing = new StandingAnswers();
  readonly #counting = new Map<number, Counting>();
  /** What waits for a person, by the numbers of its questions. */
  readonly #held = new Map<number, AbortController>();
  /** Who waits to hear in what state files are. */
  readonly #stating = new Waiting<number, FileStates | undefined>();

  /** `directory` is where the gate writes down what runs by standing answers. */
  constructor(
    sessionId: string,
    reader: GateConnection,
    directory: string,
    options: GateLineOptions,
  ) {
    this.#sessionId = sessionId;
    this.#reader = reader;
    this.#directory = directory;
    this.#options = options;
    const { table, stubs } = options;
    this.#governed = new Set([...table.names, ...CARRIERS, ...stubs?.names ?? []]);
  }

  /** Answers to the end of the connection. */
  async serve(): Promise<void> {
    const { sessions, table: { deleting } } = this.#options;
    this.#say({ kind: "hello", governed: [...this.#governed], carriers: CARRIERS, deleting });
    const unfollow = sessions.follow(this.#sessionId, () => this.#catchUp());
    try {
      for await (const message of readMessages(this.#reader)) {
        await this.#options.sink.relief();
        this.#hear(message);
      }
    } finally {
      for (const left of this.#held.values()) left.abort();
      this.#stating.settleAll(undefined);
      try {
        this.#catchUp();
      } finally {
        unfollow();
        this.#spool?.close();
      }
    }
  }

  /** Nothing that was decided before stands any longer. */
  forget(): void {
    this.#standing.forget();
    this.#say({ kind: "forget" });
  }

  /** Withdraws what stood as long as policies were fresh and tokens valid. */
  expire(): void {
    const session = this.#session();
    const isOver = (action_class: ActionClass) =>
      session === undefined ||
      admit(this.#options, session, { operations: [{ action_class, attributes: {} }] }).denial;
    if ([...this.#standing.actionClasses].some(isOver)) this.forget();
  }

  #say(message: SidecarMessage): void {
    this.#reader.socket.write(`${JSON.stringify(message)}\n`);
  }

  #session(): SessionView | undefined {
    return this.#options.sessions.get(this.#sessionId);
  }

  #hear(message: GateMessage): void {
    switch (message.kind) {
      case "ask":
        return this.#ask(message);
      case "counted":
        return this.#counted(message.number, message.files);
      case "stated":
        return void this.#stating.settle(message.number, message.files);
      case "spool":
        this.#spool?.close();
        this.#spool = new SpoolReader(this.#directory, message.from);
        return;
      case "ran": {
        if (this.#spool === undefined) throw new Error("the gate says what it may not");
        for (const execution of this.#spool.take(message.to)) this.#ran(execution);
        return this.#say({ kind: "taken", to: message.to });
      }
      case "ended":
        return this.#ended(message.execution, message.detail);
      case "gone":
        this.#counting.delete(message.number);
        this.#stating.settle(message.number, undefined);
        return this.#held.get(message.number)?.abort();
      default:
        throw new Error("the gate says what it may not");
    }
  }

  #ask({ number, execution, held = [] }: Extract<GateMessage, { kind: "ask" }>): void {
    const startedMs = performance.now();
    const { stubs, table } = this.#options;
    const matches = stubs?.matchesOf(execution) ?? classifyExecution(table, execution);
    const counting: Counting = { execution, matches, files: [], held, startedMs };
    this.#countOn(number, counting);
  }

  /** Has the files counted that the next match deletes; decides when there is none left. */
  #countOn(number: number, counting: Counting): void {
    const { matches, files } = counting;
    for (; files.length < matches.length; files.push(undefined)) {
      const { rule: { deletes }, paths } = matches[files.length]!;
      if (deletes === undefined) continue;
      if (paths.length === 0) {
        // Without a name nobody knows what goes away, but for a target that there is none of.
        if (deletes.otherwise === undefined) continue;
        files.push(0);
        return this.#countOn(number, counting);
      }
      const known = filesAmong(counting.held, paths, deletes.recursive);
      if (known !== undefined) {
        files.push(known);
        return this.#countOn(number, counting);
      }
      this.#counting.set(number, counting);
      return this.#say({ kind: "count", number, paths, recursive: deletes.recursive });
    }
    this.#decide(number, counting);
  }

  #counted(number: number, files: number | undefined): void {
    const counting = this.#counting.get(number);
    if (counting === undefined) return;
    this.#counting.delete(number);
    counting.files.push(files);
    this.#countOn(number, counting);
  }

  #decide(number: number, { execution, matches, files, startedMs }: Counting): void {
    const session = this.#session();
    if (session === undefined) return this.#say({ kind: "answer", number, allow: false });
    const asked = { number, execution, classified: toClassified(execution, matches, files) };
    const verdict = decideExecution(this.#options, session, execution, asked.classified);
    const wantsPerson = verdict.denial?.reason === "StepUpRequired" && session.observed !== true;
    if (wantsPerson && this.#options.approvals !== undefined) {
      void this.#hold({ ...asked, startedMs }, session);
    } else this.#conclude({ ...asked, startedMs }, { session, verdict });
  }

  /** Has a person decide. Never rejects. */
  async #hold(asked: Asked, session: SessionView): Promise<void> {
    const { desk, config } = this.#options.approvals!;
    const { number, execution, classified } = asked;
    const left = new AbortController();
    this.#held.set(number, left);
    const isHeld = config.mode === "sync_wait" && this.#held.size <= MOST_HELD;
    if (isHeld) this.#say({ kind: "held", number });
    let now: Decided = { session, verdict: UNDECIDED };
    const files = await this.#states(number);
    const again = () => {
      const session = this.#session() ?? { ...now.session, ended: true };
      now = {
        session,
        verdict: decideExecution(this.#options, session, execution, classified),
      };
      return { denial: unaskableOf(now.verdict, execution, files), remedy: now.verdict.remedy };
    };
    const [{ action_class: actionClass }] = classified.operations;
    const settled = await settle(
      {
        again,
        subject: (challenges) =>
          execSubject({
            execution,
            files: files ?? [],
            session: now.session,
            actionClass,
            policyIds: now.verdict.policyIds,
          }, challenges),
        unchangeable: ({ dropHeaders }) => dropHeaders.length > 0 ? UNCHANGEABLE : undefined,
        endMs: isHeld ? performance.now() + config.maxWaitMs : 0,
        left: left.signal,
      },
      desk,
      config,
    ).catch((cause) => ({ denial: broken(cause), approvalId: undefined }));
    const { approvalId } = settled;
    let { denial } = settled;
    if (denial === undefined) {
      const taken = approvalId === undefined ? undefined : now.verdict.remedy;
      const isSame = taken === undefined ||
        JSON.stringify(await this.#states(number)) === JSON.stringify(files);
      // Policies, tokens and the session may have changed once more while that was asked.
      const last = again();
      if (!isStillPermitted(last, taken)) denial = last.denial ?? UNCHANGEABLE;
      if (!isSame) denial = CHANGED;
    }
    this.#held.delete(number);
    this.#conclude(asked, { ...now, verdict: { ...now.verdict, denial }, approvalId });
  }

  /** In what state the files are that decide what an execution does. */
  async #states(number: number): Promise<FileStates | undefined> {
    if (this.#held.get(number)?.signal.aborted !== false) return undefined;
    const stated = this.#stating.answer(number);
    this.#say({ kind: "state", number });
    return await stated;
  }

  /** Records what was decided, and tells the gate. */
  #conclude(
    { number, execution, classified, startedMs }: Asked,
    { session, verdict, approvalId }: Decided,
  ): void {
    const { sink, standing, sessions } = this.#options;
    const isObserved = verdict.denial !== undefined && session.observed === true &&
      isObservable(verdict.denial.reason);
    const canRecord = sink.accepts();
    const denial = canRecord || (verdict.denial !== undefined && !isObserved)
      ? verdict.denial
      : UNRECORDABLE;
    const allow = denial === undefined || (isObserved && canRecord);
    const [{ action_class: actionClass }] = classified.operations;
    const event = execEvent({
      ...verdict,
      execution,
      session,
      actionClass,
      denial,
      observed: isObserved && canRecord,
      approvalId,
      bundleVersion: standing.bundle?.version ?? "",
      latencyUs: Math.round((performance.now() - startedMs) * 1000),
    });
    if (canRecord) {
      sink.push(event, "now");
      if (countsInSession(event)) sessions.record(event);
    } else sink.lose();
    const recorded = canRecord && allow ? sink.recorded() : undefined;
    if (recorded !== undefined) {
      // No answer stands: the record of each execution has to be on the disk before it.
      recorded.then((isRecorded) => this.#say({ kind: "answer", number, allow: isRecorded }));
      return;
    }
    const reads = standing.bundle?.engine.readsOf(actionClass);
    const stands = denial === undefined && approvalId === undefined
      ? standsFor(classified, this.#isGoverned(execution), reads)
      : undefined;
    if (stands !== undefined) {
      if (this.#standing.isFull) this.forget();
      const { event_id: eventId, token_id: tokenId } = event;
      this.#standing.add(execution, stands, { eventId, actionClass, tokenId });
    }
    this.#say({ kind: "answer", number, allow, ...(stands && { standing: stands }) });
  }

  #isGoverned({ names, interpreter }: Execution): boolean {
    return [...names, ...interpreter?.names ?? []].some((name) => this.#governed.has(name));
  }

  /** The record of what runs by a standing answer; one that stands no more is told to be over. */
  #ran(execution: Execution): void {
    if (!this.#options.sink.accepts()) {
      this.#options.sink.lose();
      this.forget();
    } else this.#record(execution, undefined, this.#standing.find(execution));
  }

  /** Takes what the gate has written down and told nobody yet: what follows may depend on it. */
  #catchUp(): void {
    const spool = this.#isCatchingUp ? undefined : this.#spool;
    if (spool === undefined) return;
    this.#isCatchingUp = true;
    try {
      const written = spool.takeWritten();
      for (const execution of written) this.#ran(execution);
      if (written.length > 0) this.#say({ kind: "taken", to: spool.position });
    } finally {
      this.#isCatchingUp = false;
    }
  }

  /** The record of what was ended again, because it was not what had been allowed. */
  #ended(execution: Execution, detail: string): void {
    const denial = { reason: "FailClosed", detail: `ended before it ran: ${detail}` } as const;
    if (this.#options.sink.accepts()) this.#record(execution, denial);
    else this.#options.sink.lose();
  }

  #record(execution: Execution, denial: Denial | undefined, by?: StandingAnswer): void {
    const session = this.#session();
    if (session === undefined) return;
    const event = execEvent({
      execution,
      session,
      actionClass: by?.actionClass ?? SYSTEM_EXECUTE,
      denial,
      observed: false,
      tokenId: by?.tokenId ?? session.claims[0]?.token_id ?? "",
      bundleVersion: this.#options.standing.bundle?.version ?? "",
      policyIds: [],
      latencyUs: 0,
      ...(by !== undefined && { repeats: by.eventId }),
    });
    this.#options.sink.push(event, "soon");
    if (countsInSession(event)) this.#options.sessions.record(event);
  }
}

const UNDECIDED: ExecVerdict = { denial: undefined, tokenId: "", policyIds: [] };

const UNRECORDABLE: Denial = {
  reason: "FailClosed",
  detail: "the audit log cannot take the record of the execution",
};

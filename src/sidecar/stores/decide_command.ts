import type { ApprovalDesk } from "../../approvals/answer.ts";
import type { ActionClass } from "../../core/action_class.ts";
import type { Execution } from "../../core/local_exec.ts";
import { countsInSession } from "../../core/session_state.ts";
import type { CommandVerdict } from "../../secrets/cli/store_command.ts";
import { admit, decideExecution, type ExecSurroundings, UNCHANGEABLE } from "../exec/decide.ts";
import { type Classified, toClassified } from "../exec/envelope.ts";
import { execEvent } from "../exec/exec_event.ts";
import { broken, execSubject } from "../exec/hold.ts";
import type { Denial, SessionView } from "../pipeline/draft.ts";
import { isObservable } from "../pipeline/observation.ts";
import type { EventSink } from "../pipeline/record.ts";
import type { SessionTable } from "../pipeline/session_table.ts";
import { type ApprovalConfig, settle } from "../pipeline/settle.ts";

/** What deciding commands of stores needs. */
export interface CommandSurroundings extends ExecSurroundings {
  readonly sessions: SessionTable;
  readonly sink: EventSink;
  /** Where approvals are kept, and how commands wait for them; without it nobody is asked. */
  readonly approvals?: { readonly desk: ApprovalDesk; readonly config: ApprovalConfig } | undefined;
}

/** A command of a store's program. */
export interface StoreExecution {
  readonly sessionId: string;
  /** The store. */
  readonly store: string;
  readonly execution: Execution;
  /** What is known of it, whatever policies say. */
  readonly command: CommandVerdict;
}

const SECRET_READ = "secret.read" as ActionClass;
const CREDENTIAL_LIST = "credential.list" as ActionClass;

/**
 * Decides a command by token and policies, as any execution, and records that. `true` where it may
 * run. Never rejects.
 */
export async function decideCommand(
  surroundings: CommandSurroundings,
  asked: StoreExecution,
  left: AbortSignal,
): Promise<boolean> {
  const startedMs = performance.now();
  const session = surroundings.sessions.get(asked.sessionId);
  if (session === undefined) return false;
  const { command, execution } = asked;
  const classified = classify(asked);
  let now = { session, verdict: decideExecution(surroundings, session, execution, classified) };
  let denial = command.kind === "blocked"
    ? { reason: "SecretStoreBlocked", detail: blocked(asked.store, command.why) } as const
    : now.verdict.denial;
  let approvalId: string | undefined;
  const { approvals } = surroundings;
  if (denial?.reason === "StepUpRequired" && session.observed !== true && approvals !== undefined) {
    const again = () => {
      const session = surroundings.sessions.get(asked.sessionId) ?? { ...now.session, ended: true };
      now = { session, verdict: decideExecution(surroundings, session, execution, classified) };
      return { denial: now.verdict.denial, remedy: now.verdict.remedy };
    };
    const { desk, config } = approvals;
    const settled = await settle(
      {
        again,
        subject: (challenges) =>
          execSubject({
            execution,
            files: [],
            session: now.session,
            actionClass: classified.operations[0].action_class,
            policyIds: now.verdict.policyIds,
          }, challenges),
        unchangeable: ({ dropHeaders }) => dropHeaders.length > 0 ? UNCHANGEABLE : undefined,
        endMs: config.mode === "sync_wait" ? performance.now() + config.maxWaitMs : 0,
        left,
      },
      desk,
      config,
    ).catch((cause) => ({ denial: broken(cause), approvalId: undefined }));
    ({ denial, approvalId } = settled);
  }
  return await record(surroundings, asked, {
    ...now,
    denial,
    approvalId,
    latencyUs: Math.round((performance.now() - startedMs) * 1000),
  });
}

/**
 * Why a command that was allowed must show nothing after all: a program may wait long for a person,
 * and its session, its token or the policies may have ended meanwhile.
 */
export function endedMeanwhile(
  surroundings: CommandSurroundings,
  asked: StoreExecution,
): Denial | undefined {
  const session = surroundings.sessions.get(asked.sessionId);
  if (session === undefined) return { reason: "TokenInvalid", detail: "the session has ended" };
  const { denial } = admit(surroundings, session, classify(asked));
  const isOnlyObserved = denial !== undefined && session.observed === true &&
    isObservable(denial.reason);
  return isOnlyObserved ? undefined : denial;
}

/** Records that a command which was allowed shows nothing after all. */
export function recordFailure(
  surroundings: CommandSurroundings,
  asked: StoreExecution,
  denial: Denial,
): void {
  const { sessions, sink } = surroundings;
  const session = sessions.get(asked.sessionId);
  if (session === undefined) return;
  if (!sink.accepts()) return sink.lose();
  sink.push(eventOf(surroundings, asked, { session, denial }), "soon");
}

interface Concluded {
  readonly session: SessionView;
  readonly verdict?: ReturnType<typeof decideExecution>;
  readonly denial: Denial | undefined;
  readonly observed?: boolean;
  readonly approvalId?: string | undefined;
  readonly latencyUs?: number;
}

async function record(
  surroundings: CommandSurroundings,
  asked: StoreExecution,
  concluded: Concluded,
): Promise<boolean> {
  const { sink, sessions } = surroundings;
  const { denial, session } = concluded;
  if (!sink.accepts()) {
    sink.lose();
    return false;
  }
  const observed = denial !== undefined && session.observed === true && isObservable(denial.reason);
  const event = eventOf(surroundings, asked, { ...concluded, observed });
  sink.push(event, "now");
  if (countsInSession(event)) sessions.record(event);
  if (denial !== undefined && !observed) return false;
  return await sink.recorded() ?? true;
}

function eventOf(
  { standing }: CommandSurroundings,
  asked: StoreExecution,
  { session, verdict, denial, observed = false, approvalId, latencyUs = 0 }: Concluded,
): ReturnType<typeof execEvent> {
  const [{ action_class: actionClass }] = classify(asked).operations;
  return execEvent({
    ...verdict ?? { tokenId: session.claims[0]?.token_id ?? "", policyIds: [] },
    execution: asked.execution,
    session,
    actionClass,
    denial,
    observed,
    approvalId,
    bundleVersion: standing.bundle?.version ?? "",
    latencyUs,
  });
}

/** What policies see: an execution that says which store it reads, and what of it. */
function classify({ store, execution, command }: StoreExecution): Classified {
  const { operations: [{ attributes, ...rest }] } = toClassified(execution, [], []);
  return {
    ref: `secret store ${store}`,
    operations: [{
      ...rest,
      action_class: command.kind === "safe" ? CREDENTIAL_LIST : SECRET_READ,
      attributes: {
        ...attributes,
        ...(command.kind === "sensitive" && { exec_secret: command.name }),
        exec_secret_store: store,
      },
    }],
  };
}

function blocked(store: string, why: string): string {
  return `the secret store "${store}" has no rule that lets this command pass: ${why}`;
}

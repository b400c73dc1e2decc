import type { SandboxFinding } from "../core/event.ts";
import type { Result } from "../core/result.ts";
import type { LossQuestion, LossVerdict } from "../sidecar/losses/question.ts";
import type { Session, SessionRequest } from "./session.ts";

/** A Sidecar as a run sees it: its own, or one that it has joined. */
export interface SessionHost extends AsyncDisposable {
  /** Registers a session; to be called once. */
  openSession(request: SessionRequest): Promise<Result<Session>>;
  /** Hands on what the sandbox of a session refused or set right, for the record. */
  report(sessionId: string, finding: SandboxFinding): Promise<void>;
  /** Asks what becomes of the agent now that files of its workspace are gone. */
  weigh(question: LossQuestion): Promise<LossVerdict>;
  /** Says how the agent ended, for the record. {@linkcode SessionHost.end} is to come next. */
  endSession(sessionId: string, exitCode: number): Promise<void>;
  /** Has no more use for it. Tells whether everything that it knew of the session is written down. */
  end(): Promise<boolean>;
  /** Resolves, with how, when it serves no more. */
  readonly exited: Promise<string>;
  /** Its log, where that goes away with the run. */
  readonly logFile: string | undefined;
  [Symbol.asyncDispose](): Promise<void>;
}

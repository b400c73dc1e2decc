import type { SandboxFinding } from "../core/event.ts";
import type { Result } from "../core/result.ts";
import type { Session } from "./session.ts";
import type { SessionHost } from "./session_host.ts";

type Opened = Result<{ readonly session: Session; readonly host: SessionHost }>;

/** Hands what a sandbox found to the Sidecar of its session, one after the other. */
export class FindingReports {
  readonly #opening: Promise<Opened>;
  #last: Promise<void> = Promise.resolve();

  constructor(opening: Promise<Opened>) {
    this.#opening = opening;
  }

  add(finding: SandboxFinding): void {
    this.#last = this.#last.then(async () => {
      const opened = await this.#opening;
      if (opened.ok) await opened.value.host.report(opened.value.session.session_id, finding);
    }).catch(() => {}); // whoever watches the Sidecar tells that it is gone
  }

  /** Resolves when everything so far was handed on. */
  done(): Promise<void> {
    return this.#last;
  }
}

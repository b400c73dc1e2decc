import type { EndGroup } from "./process_groups.ts";

/** What a worker says of the programs that it runs, each the leader of a process group. */
export type ProcessNotice =
  | { readonly type: "group-started"; readonly leader: number }
  /** Its leader and its output have ended. */
  | { readonly type: "group-ended"; readonly leader: number }
  /** It is to be ended. */
  | { readonly type: "end-group"; readonly leader: number };

/** Whether a message is a notice, and for nobody else. */
export function isProcessNotice(message: { readonly type: string }): message is ProcessNotice {
  return ["group-started", "group-ended", "end-group"].includes(message.type);
}

/** Ends process groups for a worker that may not: those that it started, and no others. */
export class ProcessWatch {
  readonly #end: EndGroup;
  readonly #leaders = new Set<number>();

  constructor(end: EndGroup) {
    this.#end = end;
  }

  hear({ type, leader }: ProcessNotice): void {
    if (type === "group-started") return void this.#leaders.add(leader);
    // A number is only its own as long as the group is there.
    if (this.#leaders.delete(leader) && type === "end-group") this.#end(leader);
  }

  /** Ends all that are there: nobody waits for them any more. */
  endAll(): void {
    for (const leader of this.#leaders) this.#end(leader);
    this.#leaders.clear();
  }
}

import type { Id } from "../core/id.ts";
import type { EarlySandbox } from "./early_sandbox.ts";
import type { SpareSidecar } from "./spare_sidecar.ts";

/** What was begun for a run while its code was loading. */
export interface EarlyStart {
  /** The process of a Sidecar of its own. */
  readonly sidecar?: SpareSidecar;
  /** Of the run that both were told to expect; absent where nothing can be expected yet. */
  readonly sandboxId?: Id<"sbx">;
  readonly sandbox?: EarlySandbox;
}

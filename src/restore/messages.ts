/** What a run and the worker that watches its workspace say to each other. */
import type { FirmaError } from "../core/result.ts";
import type { SnapshotHeader } from "./manifest.ts";

/** What is to be taken and watched. */
export interface WatchOrder {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Real path. */
  readonly workspace: string;
  /** `sbx_…` */
  readonly id: string;
  readonly exclude: readonly string[];
  readonly hidden: readonly string[];
  /** Where runs put something empty for as long as they last, as paths end there. */
  readonly placeholders: readonly string[];
  readonly maxFileSize: number;
  readonly maxTotalSize: number;
  readonly keepCount: number;
  readonly keepMs: number;
  /** Its first element is set to 1 when the run is over before the snapshot is taken. */
  readonly cancelled: Int32Array<SharedArrayBuffer>;
}

/** What is gone or was overwritten at a moment; paths are the first that were not told before. */
export interface LossReport {
  readonly deleted: number;
  readonly changed: number;
  readonly newlyDeleted: readonly string[];
  readonly newlyChanged: readonly string[];
}

/** What a run says. */
export type ToWatcher =
  | { readonly kind: "take"; readonly order: WatchOrder }
  /** The command is about to run; what firma itself has put into the workspace is no loss. */
  | { readonly kind: "watch"; readonly ignored: readonly string[] }
  /** The command stands still: find out what is lost so far. */
  | { readonly kind: "look" }
  /** The command has ended: find out what is lost. */
  | { readonly kind: "finish" };

/** What the worker says. */
export type FromWatcher =
  | { readonly kind: "progress"; readonly files: number }
  | { readonly kind: "taken"; readonly header: SnapshotHeader }
  | { readonly kind: "not-taken"; readonly error: FirmaError }
  | { readonly kind: "lost"; readonly report: LossReport }
  | { readonly kind: "looked"; readonly report: LossReport }
  | { readonly kind: "finished"; readonly report: LossReport };

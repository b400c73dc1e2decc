import { programModule } from "../config/program_file.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { SnapshotHeader } from "./manifest.ts";
import type { FromWatcher, LossReport, ToWatcher, WatchOrder } from "./messages.ts";
import { watchPermissions } from "./permissions.ts";

/** What a run does with its watch. */
export interface DeleteWatch extends AsyncDisposable {
  /** The snapshot, or why there is none. */
  readonly taken: Promise<Result<SnapshotHeader>>;
  /** Begins to watch; `ignored` are paths below the workspace that firma itself has put there. */
  watch(ignored: readonly string[], onLoss: (report: LossReport) => void): void;
  /** What is lost at this moment, looked at anew; `undefined` where the watch itself has ended. */
  look(): Promise<LossReport | undefined>;
  /** What is lost now that the command has ended; `undefined` where the watch itself has. */
  finish(): Promise<LossReport | undefined>;
  /** Ends it. A snapshot that is not whole by then leaves nothing behind. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What a run tells of its watch. */
export interface WatchOptions {
  readonly order: Omit<WatchOrder, "cancelled">;
  /** Hears how many files there are so far. */
  readonly onProgress: (files: number) => void;
}

/** Starts to take a snapshot of a workspace, in a thread of its own. */
export function startDeleteWatch({ order, onProgress }: WatchOptions): DeleteWatch {
  const worker = new Worker(programModule("src/restore/worker/main.ts"), {
    type: "module",
    name: "firma-delete-watch",
    deno: { permissions: watchPermissions(order.env) },
  });
  const cancelled = new Int32Array(new SharedArrayBuffer(4));
  const taken = Promise.withResolvers<Result<SnapshotHeader>>();
  const finished = Promise.withResolvers<LossReport | undefined>();
  let looked = Promise.withResolvers<LossReport | undefined>();
  let onLoss: (report: LossReport) => void = () => {};
  const post = (message: ToWatcher) => worker.postMessage(message);
  worker.onmessage = ({ data }: MessageEvent<FromWatcher>) => {
    switch (data.kind) {
      case "progress":
        return onProgress(data.files);
      case "taken":
        return taken.resolve(ok(data.header));
      case "not-taken":
        return taken.resolve(err(data.error));
      case "lost":
        return onLoss(data.report);
      case "looked":
        return looked.resolve(data.report);
      case "finished":
        return finished.resolve(data.report);
    }
  };
  worker.onerror = (event) => {
    event.preventDefault();
    taken.resolve(err(ended(event.message)));
    finished.resolve(undefined);
    looked.resolve(undefined);
  };
  post({ kind: "take", order: { ...order, cancelled } });
  return {
    taken: taken.promise,
    watch(ignored, listener) {
      onLoss = listener;
      post({ kind: "watch", ignored });
    },
    look() {
      looked = Promise.withResolvers();
      post({ kind: "look" });
      return Promise.race([looked.promise, finished.promise]);
    },
    finish() {
      post({ kind: "finish" });
      return finished.promise;
    },
    async [Symbol.asyncDispose]() {
      Atomics.store(cancelled, 0, 1);
      await taken.promise;
      worker.terminate();
    },
  };
}

function ended(reason: string): FirmaError {
  return {
    code: "SNAPSHOT_FAILED",
    message: `Cannot take a snapshot of the workspace: ${reason}`,
  };
}

/**
 * The worker that takes the snapshot of a run and watches the workspace. It works while the run
 * starts and the agent does, so that neither waits for more than the snapshot.
 */
import type { FromWatcher, ToWatcher, WatchOrder } from "../messages.ts";
import { pruneStore, snapshotNow, type Taken } from "../snapshot_now.ts";
import { reasonOf } from "../libc.ts";
import { Watcher } from "../watcher.ts";

const scope = self as unknown as {
  postMessage(message: FromWatcher): void;
  onmessage: ((event: MessageEvent<ToWatcher>) => void) | null;
};

let taken: Taken | undefined;
let watcher: Watcher | undefined;

function take(order: WatchOrder): void {
  const result = snapshotNow(order, (files) => scope.postMessage({ kind: "progress", files }));
  if (!result.ok) {
    const { code, message, cure } = result.error;
    const error = { code, message, ...(cure !== undefined && { cure }) };
    return scope.postMessage({ kind: "not-taken", error });
  }
  taken = result.value;
  scope.postMessage({ kind: "taken", header: taken.manifest.header });
  try {
    pruneStore(order, taken.store);
  } catch (cause) {
    // The next run tries again.
    console.error(`firma: Cannot remove old snapshots: ${reasonOf(cause)}`);
  }
}

scope.onmessage = ({ data }) => {
  switch (data.kind) {
    case "take":
      return take(data.order);
    case "watch":
      watcher = new Watcher(taken!, data.ignored, (report) => {
        scope.postMessage({ kind: "lost", report });
      });
      return watcher.start();
    case "look":
      return scope.postMessage({ kind: "looked", report: watcher!.look() });
    case "finish":
      return scope.postMessage({ kind: "finished", report: watcher!.finish() });
  }
};

/** A thread that checks lines of an audit log for another one; it may nothing. */
import { checkLines } from "../check_lines.ts";
import type { CheckOrder, CheckStart } from "../line_checker.ts";

self.addEventListener("message", (event) => serve((event as MessageEvent<CheckStart>).data), {
  once: true,
});

function serve({ port, done }: CheckStart): void {
  port.onmessage = ({ data: { bytes, publicKeys } }: MessageEvent<CheckOrder>) => {
    const checked = checkLines(bytes, publicKeys);
    Atomics.add(done, 0, 1);
    port.postMessage(checked, [checked.leaves.buffer]);
  };
}

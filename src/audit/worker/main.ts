/** A thread that checks lines of an audit log for another one; it may nothing. */
import { checkLines } from "../check_lines.ts";
import type { CheckOrder } from "../line_checker.ts";

self.addEventListener("message", (event) => serve((event as MessageEvent<CheckOrder>).data), {
  once: true,
});

function serve({ port, publicKeys }: CheckOrder): void {
  port.onmessage = ({ data }: MessageEvent<Uint8Array<ArrayBuffer>>) => {
    const checked = checkLines(data, publicKeys);
    port.postMessage(checked, [checked.leaves.buffer]);
  };
}

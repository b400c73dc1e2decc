/** A thread that checks lines of an audit log for another one; it may nothing. */
import { checkLines } from "../check_lines.ts";
import type { CheckOrder } from "../line_checker.ts";

self.addEventListener("message", (event) => serve((event as MessageEvent<MessagePort>).data), {
  once: true,
});

function serve(port: MessagePort): void {
  port.onmessage = ({ data: { bytes, publicKeys } }: MessageEvent<CheckOrder>) => {
    const checked = checkLines(bytes, publicKeys);
    port.postMessage(checked, [checked.leaves.buffer]);
  };
}

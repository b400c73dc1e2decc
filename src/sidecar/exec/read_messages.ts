import { type GateMessage, LONGEST_MESSAGE } from "../../core/local_exec.ts";
import type { GateConnection } from "./gate_connection.ts";

/**
 * What the execution gate of a sandbox says, message by message.
 *
 * @throws {Error} when it says what it may not: then nothing of it is to be believed.
 */
export async function* readMessages(reader: GateConnection): AsyncGenerator<GateMessage> {
  const decoder = new TextDecoder();
  let pending = "";
  // What came while a message was dealt with is there already: a fill would wait for more.
  while (reader.buffered.length > 0 || await reader.fill()) {
    pending += decoder.decode(reader.buffered, { stream: true });
    reader.consume(reader.buffered.length);
    const lines = pending.split("\n");
    pending = lines.pop()!;
    for (const line of lines) yield JSON.parse(line) as GateMessage;
    if (pending.length > LONGEST_MESSAGE) throw new Error("a message is too long");
  }
}

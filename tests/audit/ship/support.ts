import { AuditWriter, type AuditWriterOptions } from "../../../src/audit/writer.ts";
import type { Destination, LogLine, Outcome } from "../../../src/audit/ship/destination.ts";
import type { AuditSink } from "../../../src/audit/sink.ts";
import { ok, unwrap } from "../../../src/core/result.ts";
import { numberedDecision, sampleKey } from "../sample.ts";

/** A log in `dir` with a writer that may be told of sinks. */
export async function openLog(
  dir: string,
  sinks: readonly AuditSink[] = [],
  special: Partial<AuditWriterOptions> = {},
) {
  const key = await sampleKey(dir);
  const path = `${dir}/audit.jsonl`;
  const open = async () =>
    unwrap(
      await AuditWriter.open({ file: path, key, sinks, checkpointIntervalMs: 0, ...special }),
    );
  const writer = await open();
  let written = 0;
  return {
    key,
    path,
    writer,
    open,
    /** Appends events and waits until they are in the file. */
    write: async (count: number) => {
      for (let i = 0; i < count; i++) writer.append(numberedDecision(++written));
      unwrap(await writer.flush());
    },
  };
}

/** A destination that keeps what it is given, and can be made to fail or hang. */
export class StandIn implements Destination {
  readonly name = "stand-in";
  readonly most: { lines: number; bytes: number };
  readonly seen: number[] = [];
  fault: string | undefined;
  hangs = false;
  batches = 0;

  constructor(most = { lines: 16, bytes: 65_536 }) {
    this.most = most;
  }

  async deliver(lines: readonly LogLine[], _signal: AbortSignal): Promise<Outcome<number>> {
    this.batches++;
    if (this.hangs) await new Promise<never>(() => {});
    if (this.fault !== undefined) return { ok: false, error: { reason: this.fault } };
    this.seen.push(...lines.map(({ bytes }) => JSON.parse(new TextDecoder().decode(bytes)).seq));
    return ok(lines.at(-1)!.seq);
  }

  close(): void {}
}

/** 1, 2, … `last`. */
export function upTo(last: number): number[] {
  return Array.from({ length: last }, (_, index) => index + 1);
}

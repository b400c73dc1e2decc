import { chainEvents, type ChainHead, GENESIS } from "../../../src/audit/chain.ts";
import { keyEvent } from "../../../src/audit/key_event.ts";
import type { Collection } from "../../../src/authority/collect/collection.ts";
import { Collector } from "../../../src/authority/collect/collector.ts";
import { FileCollection } from "../../../src/authority/collect/file_collection.ts";
import { type Result, unwrap } from "../../../src/core/result.ts";
import { keyPair } from "../../capability/support.ts";
import { numberedDecision } from "../../audit/sample.ts";

/** A Sidecar with a key and a log that it goes on with. */
export function sidecar(name = "build-1") {
  const key = { ...keyPair(), created: false };
  let head: ChainHead = GENESIS;
  return {
    log: { sidecar: name, key: key.publicKey },
    key,
    /** The next lines of its log. */
    lines: (count: number, from: ChainHead = head): Uint8Array[] => {
      const events = Array.from({ length: count }, (_, i) => numberedDecision(from.seq + 1 + i));
      const chained = chainEvents(events, from, key.privateKey);
      head = chained.head;
      return splitLines(chained.bytes);
    },
    /** The line by which its key hands over to another. */
    handOver: (next: Uint8Array): Uint8Array => {
      const event = keyEvent(key.publicKey, "handed_over", "", {
        next_public_key: next.toBase64(),
      });
      const chained = chainEvents([event], head, key.privateKey);
      head = chained.head;
      return splitLines(chained.bytes)[0]!;
    },
    get head(): ChainHead {
      return head;
    },
  };
}

/** Lines without their newlines. */
export function splitLines(bytes: Uint8Array): Uint8Array[] {
  const encoder = new TextEncoder();
  return new TextDecoder().decode(bytes).trimEnd().split("\n").map((line) => encoder.encode(line));
}

/** A collector into a directory, which opens the same one again as after a crash. */
export function collectInto(directory: string) {
  const reports: string[] = [];
  let collection: Collection;
  const open = () => {
    collection = unwrap(FileCollection.open(directory));
    return new Collector(collection, (text) => reports.push(text));
  };
  return { open, close: () => collection.close(), reports };
}

/** What is kept; throws what stands in the way. */
export function kept<T>(result: Result<T, { readonly reason: string }>): T {
  if (result.ok) return result.value;
  throw new Error(result.error.reason);
}

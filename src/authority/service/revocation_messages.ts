import { create } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Revocation } from "../../core/authority.ts";
import { parseTimestamp } from "../../core/timestamp.ts";
import {
  type RevocationEvent,
  RevocationEventSchema,
  RevocationKind,
  type WatchRevocationsRequest,
} from "../../proto/firma/v1/authority_pb.ts";

type RevocationListing = readonly Revocation[];

const NOTHING: RevocationListing = [];
/** How far a stream goes back that does not say. */
const DEFAULT_AGE_MS = 365 * 24 * 3_600_000;

/**
 * Makes events of whole lists of revocations. What many streams have to tell at
 * once is worked out once: they all go from one list to the same next one.
 */
export class RevocationMessages {
  readonly #steps = new WeakMap<
    RevocationListing,
    WeakMap<RevocationListing, readonly RevocationEvent[]>
  >();

  /** The stream that a client asked for; `undefined` among the lists is a time to show life. */
  async *stream(
    lists: AsyncIterable<RevocationListing | undefined>,
    { acceptMarks, since }: WatchRevocationsRequest,
  ): AsyncGenerator<RevocationEvent> {
    const afterMs = since === undefined ? Date.now() - DEFAULT_AGE_MS : timestampMs(since);
    let told = NOTHING;
    for await (const list of lists) {
      for (const event of list === undefined ? [] : this.#step(told, list)) {
        if (acceptMarks) yield event;
        else if (isRevoked(event) && timestampMs(event.timestamp!) > afterMs) yield event;
      }
      told = list ?? told;
      if (acceptMarks) yield create(RevocationEventSchema, { kind: RevocationKind.COMPLETE });
    }
  }

  /** The events that lead from one list to another. */
  #step(before: RevocationListing, after: RevocationListing): readonly RevocationEvent[] {
    const steps = this.#steps.get(before) ?? new WeakMap();
    this.#steps.set(before, steps);
    const known = steps.get(after);
    if (known !== undefined) return known;
    const old = new Set(before.map(({ tokenId }) => tokenId));
    const standing = new Set(after.map(({ tokenId }) => tokenId));
    const events = [
      ...after.filter(({ tokenId }) => !old.has(tokenId))
        .map((revocation) => event(revocation, RevocationKind.UNSPECIFIED)),
      ...before.filter(({ tokenId }) => !standing.has(tokenId))
        .map((revocation) => event(revocation, RevocationKind.WITHDRAWN)),
    ];
    steps.set(after, events);
    return events;
  }
}

function event({ tokenId, reason, timestamp }: Revocation, kind: RevocationKind): RevocationEvent {
  return create(RevocationEventSchema, {
    tokenId,
    reason,
    timestamp: timestampFromMs(parseTimestamp(timestamp) ?? 0),
    kind,
  });
}

function isRevoked({ kind }: RevocationEvent): boolean {
  return kind === RevocationKind.UNSPECIFIED;
}

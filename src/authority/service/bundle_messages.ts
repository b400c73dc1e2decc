import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Buffer } from "node:buffer";
import type { KeyObject } from "node:crypto";
import type { BundleUpdate } from "../../core/authority.ts";
import type { FirmaError } from "../../core/result.ts";
import {
  type PolicyBundleUpdate,
  PolicyBundleUpdateSchema,
  type WatchPolicyBundleRequest,
} from "../../proto/firma/v1/authority_pb.ts";
import { schemaDigest, signStatement, wireBundle } from "../bundle_statement.ts";

/** One update in the forms in which it is sent. */
interface Stated {
  readonly whole: PolicyBundleUpdate;
  /** For who has the schema. */
  readonly withoutSchema: PolicyBundleUpdate;
  readonly schemaDigest: Uint8Array;
  /** The statement alone, for who has the policies. */
  readonly renewal: PolicyBundleUpdate;
}

type InForce = BundleUpdate & { readonly kind: "bundle" };

/**
 * Makes messages of bundle updates, once for all streams that send them: what
 * many Sidecars hear at once is signed once.
 */
export class BundleMessages {
  readonly #privateKey: KeyObject;
  readonly #stated = new WeakMap<BundleUpdate, Stated>();

  constructor(privateKey: KeyObject) {
    this.#privateKey = privateKey;
  }

  /** The stream that a client asked for. */
  async *stream(
    updates: AsyncIterable<BundleUpdate>,
    { acceptNotices, currentVersion, knownSchemaSha256 }: WatchPolicyBundleRequest,
  ): AsyncGenerator<PolicyBundleUpdate> {
    let known = currentVersion;
    let isFirst = true;
    for await (const update of updates) {
      if (update.kind === "bundle") {
        // Whoever comes while nothing is renewed must not take it for what holds now.
        if (isStale(update)) continue;
        const { whole, withoutSchema, schemaDigest, renewal } = this.#state(update);
        const hasSchema = acceptNotices && Buffer.compare(knownSchemaSha256, schemaDigest) === 0;
        const isKnown = known === update.bundle.version;
        known = update.bundle.version;
        if (isKnown && acceptNotices) yield renewal;
        // Others hear the whole again before its time to live is over, but not what they came with.
        else if (!isKnown || !isFirst) yield hasSchema ? withoutSchema : whole;
        isFirst = false;
      } else if (acceptNotices) yield notice(update);
    }
  }

  #state(update: InForce): Stated {
    const { bundle, atMs = Date.now() } = update;
    const known = this.#stated.get(update);
    if (known !== undefined) return known;
    const signed = signStatement(bundle, this.#privateKey, atMs);
    const updatedAt = timestampFromMs(atMs);
    const wire = wireBundle(bundle, signed);
    const stated = {
      whole: create(PolicyBundleUpdateSchema, { bundle: wire, updatedAt }),
      withoutSchema: create(PolicyBundleUpdateSchema, {
        bundle: { ...wire, entitySchema: new Uint8Array() },
        updatedAt,
      }),
      schemaDigest: schemaDigest(bundle.schema),
      renewal: create(PolicyBundleUpdateSchema, {
        updatedAt,
        notice: { case: "renewal", value: { ...signed } },
      }),
    };
    this.#stated.set(update, stated);
    return stated;
  }
}

function isStale({ bundle, atMs = Date.now() }: InForce): boolean {
  return Date.now() - atMs >= bundle.ttlSeconds * 1000;
}

function notice(update: Exclude<BundleUpdate, { kind: "bundle" }>): PolicyBundleUpdate {
  return create(PolicyBundleUpdateSchema, {
    updatedAt: timestampFromMs(Date.now()),
    notice: update.kind === "refused"
      ? { case: "refusal", value: { faults: update.errors.map(fault) } }
      : { case: "loss", value: { fault: fault(update.error) } },
  });
}

function fault({ code, message, cure, at }: FirmaError) {
  return {
    code,
    message,
    cure: cure ?? "",
    file: at?.file ?? "",
    line: at?.line ?? 0,
    column: at?.column ?? 0,
  };
}

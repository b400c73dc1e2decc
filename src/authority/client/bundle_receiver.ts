import type { BundleUpdate } from "../../core/authority.ts";
import type { PolicyBundle } from "../../core/policy_bundle.ts";
import type { FirmaError, Result } from "../../core/result.ts";
import type { BundleFault, PolicyBundleUpdate } from "../../proto/firma/v1/authority_pb.ts";
import { readBundle, readStatement, type VerifiedStatement } from "../bundle_statement.ts";

/** How far the clocks of Authority and Sidecar may differ, in milliseconds. */
const CLOCK_SKEW_MS = 5 * 60_000;

/**
 * Turns what comes over the wire into bundle updates, and believes nothing that
 * the Authority has not signed: not a bundle, not that one is still in force.
 * Remembers, across streams, what it has seen, so that nothing older is taken.
 */
export class BundleReceiver {
  readonly #publicKey: Uint8Array;
  #bundle: PolicyBundle | undefined;
  #highest: { readonly revision: number; readonly version: string } = {
    revision: -Infinity,
    version: "",
  };
  #statedAtMs = -Infinity;
  /** Least of (arrival − statement): the difference of the clocks and the way that nothing held up. */
  #leastDelayMs = Infinity;

  constructor(publicKey: Uint8Array) {
    this.#publicKey = publicKey;
  }

  /** The version of the last bundle, or `""`. */
  get version(): string {
    return this.#bundle?.version ?? "";
  }

  /**
   * Stands in where the Authority leaves the schema out, because it was told that this is known
   * here. The signed digest must be its own.
   */
  knownSchema = "";

  /** What a message means at `nowMs`; `undefined` when it says nothing. */
  receive(message: PolicyBundleUpdate, nowMs: number): BundleUpdate | undefined {
    const { bundle, notice } = message;
    if (bundle !== undefined) {
      const read = readBundle(bundle, this.#publicKey, this.knownSchema);
      return read.ok
        ? this.#take(read.value.bundle, read.value.stated, nowMs)
        : refused(read.error);
    }
    switch (notice.case) {
      case "renewal":
        return this.#renew(readStatement(notice.value, this.#publicKey), nowMs);
      case "refusal":
        return { kind: "refused", errors: notice.value.faults.map(faultError) };
      case "loss":
        // Not signed, and need not be: whoever says so can only have everything denied.
        this.#bundle = undefined;
        return { kind: "gone", error: faultError(notice.value.fault) };
    }
  }

  #renew(stated: Result<VerifiedStatement>, nowMs: number): BundleUpdate | undefined {
    if (!stated.ok) return refused(stated.error);
    const { revision, version, ttlSeconds } = stated.value;
    const bundle = this.#bundle;
    if (bundle === undefined || bundle.version !== version) {
      return refused(invalid(`it renews version "${version}", which was never sent`));
    }
    return this.#take({ ...bundle, revision, ttlSeconds }, stated.value, nowMs);
  }

  #take(
    bundle: PolicyBundle,
    { statedAtMs, revision, version, ttlSeconds }: VerifiedStatement,
    nowMs: number,
  ): BundleUpdate | undefined {
    const known = this.#highest;
    if (revision < known.revision) {
      return refused(old(`revision ${revision} is older than revision ${known.revision}`));
    }
    if (revision === known.revision && version !== known.version) {
      return refused(invalid(`revision ${revision} is version "${known.version}" already`));
    }
    if (nowMs - statedAtMs > ttlSeconds * 1000 + CLOCK_SKEW_MS) {
      const minutes = Math.round((nowMs - statedAtMs) / 60_000);
      return refused(old(`it was stated ${minutes} minutes ago, or the clocks differ`));
    }
    // Overtaken by a later statement of the same bundle.
    if (statedAtMs < this.#statedAtMs) return undefined;
    this.#highest = { revision, version };
    this.#statedAtMs = statedAtMs;
    this.#leastDelayMs = Math.min(this.#leastDelayMs, nowMs - statedAtMs);
    // What was held up on its way has used up a part of its time already.
    const heldUpMs = nowMs - statedAtMs - this.#leastDelayMs;
    const left = ttlSeconds - heldUpMs / 1000;
    this.#bundle = bundle;
    return left > 0 ? { kind: "bundle", bundle: { ...bundle, ttlSeconds: left } } : undefined;
  }
}

function refused(error: FirmaError): BundleUpdate {
  return { kind: "refused", errors: [error] };
}

function old(state: string): FirmaError {
  return { code: "POLICY_BUNDLE_OLD", message: `Cannot use a policy bundle: ${state}` };
}

function invalid(state: string): FirmaError {
  return { code: "POLICY_BUNDLE_INVALID", message: `Cannot use a policy bundle: ${state}` };
}

function faultError(fault: BundleFault | undefined): FirmaError {
  const { code = "", message = "", cure = "", file = "", line = 0, column = 0 } = fault ?? {};
  const at = {
    file,
    ...(line > 0 && { line }),
    ...(column > 0 && { column }),
  };
  return {
    code: code || "UNKNOWN",
    message: message || "The Authority gave no reason",
    ...(cure && { cure }),
    ...(file && { at }),
  };
}

import type { PolicyBundle } from "../../core/policy_bundle.ts";
import type { FirmaError, Result } from "../../core/result.ts";
import { ok } from "../../core/result.ts";
import type { MappingTable } from "../../mapping/table.ts";
import { PolicyEngine } from "../../policy/engine.ts";
import type { Classification } from "./classify.ts";
import type { Readiness } from "./readiness.ts";

interface BundleInForce {
  readonly engine: PolicyEngine;
  readonly revision: number;
  readonly version: string;
  readonly freshUntilMs: number;
}

/** What decisions are made by at this moment: mapping, policies, revocations. */
export class Standing implements Classification, Readiness {
  #mapping: MappingTable | undefined;
  readonly defaultProtected: boolean;
  bundle: BundleInForce | undefined;
  revoked: ReadonlySet<string> | undefined;

  /** `mapping` may be given later, before the first call. */
  constructor(mapping: MappingTable | undefined, defaultProtected: boolean) {
    this.#mapping = mapping;
    this.defaultProtected = defaultProtected;
  }

  /** @throws {Error} while there is none, which denies. */
  get mapping(): MappingTable {
    if (this.#mapping === undefined) throw new Error("Cannot classify the call: no mapping yet");
    return this.#mapping;
  }

  set mapping(mapping: MappingTable) {
    this.#mapping = mapping;
  }

  /** Puts a bundle in force, unless it is not valid: then the one before stays. */
  apply(bundle: PolicyBundle, freshUntilMs: number): Result<void, readonly FirmaError[]> {
    const engine = PolicyEngine.create(bundle);
    if (!engine.ok) return engine;
    const { revision, version } = bundle;
    this.bundle = { engine: engine.value, revision, version, freshUntilMs };
    return ok(undefined);
  }

  /** Renews the bundle in force, if it is the one with this revision. */
  renew(revision: number, freshUntilMs: number): void {
    if (this.bundle?.revision === revision) this.bundle = { ...this.bundle, freshUntilMs };
  }
}

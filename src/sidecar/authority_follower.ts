import { BUNDLE_FAULTS } from "../authority/bundle_faults.ts";
import type { Authority } from "../core/authority.ts";
import type { ExecutionEvent, PolicyEvent } from "../core/event.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import type { DataPlane } from "./data_plane.ts";
import { errorLine, type Notify } from "./notices.ts";
import { eventBase } from "./pipeline/record.ts";

/** What following an Authority needs. */
export interface FollowerOptions {
  readonly authority: Authority;
  readonly plane: Pick<DataPlane, "setBundle" | "renewBundle" | "dropBundle" | "bundleVersion">;
  /** Says what is wrong with a bundle before the data plane gets it. @default {nothing is} */
  readonly check?:
    | ((bundle: PolicyBundle) => Promise<Result<void, readonly FirmaError[]>>)
    | undefined;
  /** Told of each whole revocation list. */
  readonly onRevoked: (tokenIds: readonly string[]) => void;
  readonly record: (event: ExecutionEvent) => boolean;
  readonly notify: Notify;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
}

/** What decides calls, as far as the Authority has told. */
interface Heard {
  inForce: PolicyBundle | "gone" | "nothing yet";
  /** Highest revision so far: whoever plays an older bundle back is refused, also on a new stream. */
  revision: number;
  /** What was last refused, with nothing good since: told once, however often it comes. */
  refusal: string;
}

const RETRY_MS = 1_000;

/**
 * Keeps the data plane in step with what the Authority streams, until `signal`
 * aborts. A stream that breaks is opened again; meanwhile the bundle grows stale.
 * Resolves when each stream has told its beginning and the data plane has it; when
 * the first bundle is refused, with what is wrong with it.
 */
export async function followAuthority(
  options: FollowerOptions,
): Promise<Result<void, readonly FirmaError[]>> {
  const bundles = Promise.withResolvers<Result<void, readonly FirmaError[]>>();
  const revocations = Promise.withResolvers<void>();
  const heard: Heard = { inForce: "nothing yet", revision: -Infinity, refusal: "" };
  follow(options, "policy bundles", () => followBundles(options, heard, bundles.resolve));
  follow(options, "revocations", () => followRevocations(options, revocations.resolve));
  const begun = await bundles.promise;
  if (begun.ok) await revocations.promise;
  return begun;
}

async function follow(
  { signal, notify }: FollowerOptions,
  what: string,
  stream: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    let reason: unknown = "the stream ended";
    try {
      await stream();
    } catch (cause) {
      reason = cause;
    }
    if (signal.aborted) return;
    notify("warn", `The Authority's stream of ${what} broke: ${reason}`);
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function followRevocations(
  { authority, onRevoked, signal }: FollowerOptions,
  begun: () => void,
): Promise<void> {
  for await (const list of authority.watchRevocations(signal)) {
    onRevoked(list.map(({ tokenId }) => tokenId));
    begun();
  }
}

async function followBundles(
  options: FollowerOptions,
  heard: Heard,
  begun: (result: Result<void, readonly FirmaError[]>) => void,
): Promise<void> {
  for await (const update of options.authority.watchPolicyBundle(options.signal)) {
    let taken: Result<void, readonly FirmaError[]> = ok(undefined);
    if (update.kind === "refused") taken = refuse(options, heard, update.errors);
    else if (update.kind === "gone") dropBundle(options, heard, update.error);
    else taken = await takeBundle(options, heard, update.bundle);
    begun(taken);
  }
}

function dropBundle(options: FollowerOptions, heard: Heard, error: FirmaError): void {
  // The stream says so again and again, as it does with a bundle.
  if (heard.inForce === "gone") return;
  heard.inForce = "gone";
  options.plane.dropBundle();
  options.notify("error", `No policy is in force, every call is denied: ${errorLine(error)}`);
  record(options, "gone", errorLine(error));
}

async function takeBundle(
  options: FollowerOptions,
  heard: Heard,
  bundle: PolicyBundle,
): Promise<Result<void, readonly FirmaError[]>> {
  const { plane, check, notify, now = Date.now } = options;
  const { inForce } = heard;
  const freshUntilMs = now() + bundle.ttlSeconds * 1000;
  if (typeof inForce === "object" && inForce.revision === bundle.revision) {
    plane.renewBundle(freshUntilMs);
    heard.refusal = "";
    return ok(undefined);
  }
  if (bundle.revision < heard.revision) {
    const message = `Cannot apply policy bundle ${bundle.version}: revision ${bundle.revision} ` +
      `is older than revision ${heard.revision}`;
    return refuse(options, heard, [{ code: "POLICY_BUNDLE_OLD", message }]);
  }
  const checked = await check?.(bundle);
  const applied = checked?.ok === false ? checked : await plane.setBundle(bundle, freshUntilMs);
  if (!applied.ok) return refuse(options, heard, applied.error);
  if (inForce !== "nothing yet") notify("info", `Policy ${bundle.version} is in force`);
  heard.inForce = bundle;
  heard.revision = bundle.revision;
  heard.refusal = "";
  record(options, "applied", "");
  return ok(undefined);
}

function refuse(
  options: FollowerOptions,
  heard: Heard,
  errors: readonly FirmaError[],
): Result<never, readonly FirmaError[]> {
  const refusal = errors.map(errorLine).join("; ");
  if (refusal === heard.refusal) return err(errors);
  heard.refusal = refusal;
  for (const error of errors) {
    const what = BUNDLE_FAULTS.has(error.code) ? "A policy bundle" : "The edit of a policy";
    options.notify("error", `${what} is refused: ${errorLine(error)}`);
  }
  record(options, "refused", refusal);
  return err(errors);
}

function record(options: FollowerOptions, change: PolicyEvent["change"], detail: string): void {
  options.record({
    ...eventBase({ sandboxId: "", sessionId: "", agentId: "" }),
    kind: "policy",
    change,
    bundle_version: options.plane.bundleVersion,
    detail,
  });
}

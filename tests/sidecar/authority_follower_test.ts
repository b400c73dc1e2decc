import assert from "node:assert/strict";
import type { Authority, BundleUpdate, Revocation } from "../../src/core/authority.ts";
import type { ExecutionEvent } from "../../src/core/event.ts";
import type { PolicyBundle } from "../../src/core/policy_bundle.ts";
import { err, ok } from "../../src/core/result.ts";
import { followAuthority } from "../../src/sidecar/authority_follower.ts";
import { eventually } from "../fixtures/deadline.ts";

const NOW_MS = 1_000_000;

function policies(revision: number, version = `v${revision}`): BundleUpdate {
  return {
    kind: "bundle",
    bundle: { revision, version, policies: [], schema: "", ttlSeconds: 30 },
  };
}

/** An Authority whose streams say what the test gives them. */
class ScriptedAuthority implements Authority {
  issueIdentityToken = () => Promise.reject(new Error("not asked for here"));
  readonly #bundles: BundleUpdate[][];
  readonly opened: string[] = [];
  constructor(...streams: BundleUpdate[][]) {
    this.#bundles = streams;
  }
  publicKey(): Promise<Uint8Array> {
    return Promise.reject(new Error("not asked for"));
  }
  issueCapability(): Promise<never> {
    return Promise.reject(new Error("not asked for"));
  }
  async *watchPolicyBundle(signal: AbortSignal): AsyncIterable<BundleUpdate> {
    this.opened.push("bundles");
    const updates = this.#bundles.shift();
    if (updates === undefined) return await aborted(signal);
    yield* updates;
    if (this.#bundles.length > 0) throw new Error("connection lost");
    await aborted(signal);
  }
  async *watchRevocations(signal: AbortSignal): AsyncIterable<readonly Revocation[]> {
    yield [{ tokenId: "ctok_1", reason: "", timestamp: "" }];
    await aborted(signal);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) =>
    signal.addEventListener("abort", () => reject(new Error("aborted")))
  );
}

async function follow(authority: ScriptedAuthority, expected: number, unfit?: string): Promise<{
  begun: string;
  done: string[];
  notices: string[];
  records: string[];
}> {
  const done: string[] = [];
  const notices: string[] = [];
  const records: string[] = [];
  let version = "";
  const plane = {
    get bundleVersion() {
      return version;
    },
    setBundle: (bundle: PolicyBundle, freshUntilMs: number) => {
      done.push(`set ${bundle.version} until +${freshUntilMs - NOW_MS}`);
      if (bundle.version === "broken") {
        return Promise.resolve(
          err([{
            code: "POLICY_SYNTAX",
            message: "Cannot parse it",
            at: { file: "a.cedar", line: 3 },
          }]),
        );
      }
      version = bundle.version;
      return Promise.resolve(ok(undefined));
    },
    renewBundle: (freshUntilMs: number) => void done.push(`renew until +${freshUntilMs - NOW_MS}`),
    dropBundle: () => {
      version = "";
      done.push("drop");
    },
  };
  const ending = new AbortController();
  const begun = await followAuthority({
    authority,
    plane,
    check: ({ version }) => {
      const errors = [{ code: "POLICY_SYNTAX", message: "Cannot check it" }];
      return Promise.resolve(version === unfit ? err(errors) : ok(undefined));
    },
    onRevoked: (tokenIds) => done.push(`revoked ${tokenIds}`),
    record: (event: ExecutionEvent) => {
      if (event.kind === "policy") records.push(`${event.change} ${event.bundle_version}`.trim());
      return true;
    },
    notify: (_level, text) => void notices.push(text),
    signal: ending.signal,
    now: () => NOW_MS,
  });
  await eventually("everything to be taken", () => done.length >= expected || undefined);
  ending.abort();
  return {
    begun: begun.ok ? "ok" : begun.error.map(({ code }) => code).join(),
    done: done.toSorted((a, b) =>
      Number(b.startsWith("revoked")) - Number(a.startsWith("revoked"))
    ),
    notices,
    records,
  };
}

Deno.test("followAuthority() applies a bundle once and renews it when it comes again", async () => {
  const { done, records } = await follow(
    new ScriptedAuthority([policies(1), policies(1), policies(2)]),
    4,
  );
  assert.deepEqual(done, [
    "revoked ctok_1",
    "set v1 until +30000",
    "renew until +30000",
    "set v2 until +30000",
  ]);
  assert.deepEqual(records, ["applied v1", "applied v2"]);
});

Deno.test("followAuthority() refuses a bundle that is older or not valid, and says where", async () => {
  const { done, notices, records } = await follow(
    new ScriptedAuthority([policies(2), policies(1), policies(3, "broken"), policies(2)]),
    4,
  );
  assert.deepEqual(done.slice(1), [
    "set v2 until +30000",
    "set broken until +30000",
    "renew until +30000",
  ]);
  assert.deepEqual(records, ["applied v2", "refused v2", "refused v2"]);
  assert.match(notices[0]!, /revision 1 is older than revision 2/);
  assert.match(notices[1]!, /a\.cedar:3: Cannot parse it/);
});

Deno.test("followAuthority() drops the policy that is gone, tells it once, and takes the next", async () => {
  const gone: BundleUpdate = {
    kind: "gone",
    error: { code: "NO_POLICIES", message: "Cannot read it" },
  };
  const { done, notices, records } = await follow(
    new ScriptedAuthority([policies(1), gone, gone, policies(1)]),
    4,
  );
  assert.deepEqual(done.slice(1), ["set v1 until +30000", "drop", "set v1 until +30000"]);
  assert.deepEqual(records, ["applied v1", "gone", "applied v1"]);
  assert.equal(notices.filter((text) => /No policy is in force/.test(text)).length, 1);
});

Deno.test("followAuthority() opens a stream that broke again, and takes nothing older from it", async () => {
  const authority = new ScriptedAuthority([policies(2)], [policies(1), policies(2)]);
  const { done, notices } = await follow(authority, 3);
  assert.deepEqual(done.slice(1), ["set v2 until +30000", "renew until +30000"]);
  assert.match(notices[1]!, /revision 1 is older than revision 2/);
  assert.match(notices[0]!, /stream of policy bundles broke: Error: connection lost/);
  assert.deepEqual(authority.opened, ["bundles", "bundles"]);
});

function refusal(message: string): BundleUpdate {
  return { kind: "refused", errors: [{ code: "POLICY_BUNDLE_INVALID", message }] };
}

Deno.test("followAuthority() does not begin with a bundle that is refused", async () => {
  const first = await follow(new ScriptedAuthority([refusal("not signed"), policies(1)]), 2);
  assert.equal(first.begun, "POLICY_BUNDLE_INVALID");
  assert.deepEqual(first.records, ["refused", "applied v1"]);
  const unfit = await follow(new ScriptedAuthority([policies(1)]), 1, "v1");
  assert.equal(unfit.begun, "POLICY_SYNTAX");
  assert.deepEqual(unfit.done, ["revoked ctok_1"], "the data plane never had it");
  assert.equal((await follow(new ScriptedAuthority([policies(1)]), 2)).begun, "ok");
});

Deno.test("followAuthority() tells of a refusal once, however often it comes", async () => {
  const { records, notices } = await follow(
    new ScriptedAuthority([
      policies(1),
      refusal("not signed"),
      refusal("not signed"),
      refusal("too old"),
      policies(1),
      refusal("too old"),
      policies(2),
    ]),
    4,
  );
  assert.deepEqual(records, [
    "applied v1",
    "refused v1",
    "refused v1",
    "refused v1",
    "applied v2",
  ]);
  assert.match(notices[0]!, /^A policy bundle is refused: not signed/);
});

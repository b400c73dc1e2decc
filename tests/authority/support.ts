import assert from "node:assert/strict";
import type { BundleUpdate } from "../../src/core/authority.ts";
import type { FirmaError } from "../../src/core/result.ts";
import { LocalAuthority, type LocalAuthorityOptions } from "../../src/authority/local_authority.ts";
import { MemoryStore } from "../../src/authority/store/memory_store.ts";
import { PolicySource, type RemovedPolicies } from "../../src/authority/policy_source.ts";
import { cedarModule, initCedar } from "../../src/policy/cedar_module.ts";
import { schemaText } from "../../src/policy/schema.ts";
import { keyPair } from "../capability/support.ts";

initCedar(await cedarModule());

export const PERMIT = `@id("permit") permit (principal, action, resource);\n`;
export const FORBID = `@id("forbid") forbid (principal, action, resource);\n`;

/** Collects what a stream says, in order. */
export class Listener<T> implements AsyncDisposable {
  readonly heard: T[] = [];
  readonly #abort = new AbortController();
  readonly #done: Promise<void>;

  constructor(listen: (signal: AbortSignal) => AsyncIterable<T>) {
    this.#done = (async () => {
      for await (const item of listen(this.#abort.signal)) this.heard.push(item);
    })();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#done;
  }
}

/** Makes a directory with files, removed at the end. */
export async function directory(
  files: Record<string, string>,
): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "firma-authority-" });
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return {
    path,
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }).catch(() => {}),
  };
}

/** A policy source over `path` and what it says. */
export async function policySource(
  path: string,
  ttlMs = 30_000,
  mappingRulesPaths: readonly string[] = [],
  wasRemoved?: (removed: RemovedPolicies) => boolean,
) {
  const warnings: FirmaError[] = [];
  const opened = await PolicySource.open({
    directory: path,
    mappingRulesPaths,
    schema: schemaText(),
    ttlMs,
    onWarning: (warning) => warnings.push(warning),
    wasRemoved,
  });
  if (!opened.ok) assert.fail(JSON.stringify(opened.error));
  const source = opened.value;
  const listener = new Listener<BundleUpdate>((signal) => source.updates(signal));
  return {
    source,
    warnings,
    heard: listener.heard,
    [Symbol.asyncDispose]: async () => {
      await listener[Symbol.asyncDispose]();
      await source.close();
    },
  };
}

/** The policies of a bundle update as one text; another kind of update as its name. */
export function content(update: BundleUpdate | undefined): string {
  if (update?.kind !== "bundle") return update?.kind ?? "nothing";
  return update.bundle.policies.map(({ text }) => text).join("");
}

/** A running Authority over directories of its own. */
export async function authority(
  files: { policies?: Record<string, string>; issuance?: Record<string, string> } = {},
  options: Partial<LocalAuthorityOptions> = {},
) {
  const policies = await directory(files.policies ?? { "dev.cedar": PERMIT });
  const issuance = await directory(files.issuance ?? { "issuance.cedar": PERMIT });
  const state = await directory({});
  const key = keyPair();
  const notices: FirmaError[] = [];
  const opened = await LocalAuthority.open({
    policyDir: policies.path,
    issuancePolicyDir: issuance.path,
    openStore: () =>
      MemoryStore.open({
        revocationFile: `${state.path}/revocations.txt`,
        onNotice: (notice) => notices.push(notice),
      }),
    maxTtlMs: 3_600_000,
    bundleTtlMs: 30_000,
    signingKey: { ...key, created: false },
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
  if (!opened.ok) assert.fail(JSON.stringify(opened.error));
  return {
    authority: opened.value,
    key,
    notices,
    policyDir: policies.path,
    issuanceDir: issuance.path,
    revocationFile: `${state.path}/revocations.txt`,
    [Symbol.asyncDispose]: async () => {
      await opened.value.close();
      for (const each of [policies, issuance, state]) await each[Symbol.asyncDispose]();
    },
  };
}

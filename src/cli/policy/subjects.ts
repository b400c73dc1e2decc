import { isAbsolute } from "../../core/path.ts";
import { packNames } from "../../config/packs.ts";
import { readConfigFile } from "../../config/load.ts";
import { nearest } from "../../core/nearest.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import type { MappingFile } from "../../mapping/rule_file.ts";
import { PolicyEngine } from "../../policy/engine.ts";
import { decideAction } from "../../policy/fixtures/decide_action.ts";
import type { FixtureBundle, FixtureCase, RequestBody } from "../../policy/fixtures/fixture.ts";
import type { CaseOutcome } from "../../policy/fixtures/judge_case.ts";
import { Explainer } from "../../sidecar/explain.ts";
import { placed } from "./diagnostics.ts";
import { shippedMappings } from "./project.ts";
import { type PolicySources, posturePolicies, readPolicies, shortPath } from "./sources.ts";

/** What cases run against. */
export interface Subject {
  readonly policies: PolicySources;
  readonly policyIds: readonly string[];
  /** Fails when what the case names cannot be used. */
  decide(fixture: FixtureCase): Promise<Result<CaseOutcome, readonly FirmaError[]>>;
}

/** Loads what fixtures run against, each set of files once. */
export class Subjects {
  readonly #loaded = new Map<string, Promise<Result<Subject, readonly FirmaError[]>>>();
  readonly #onPath: (path: string) => void;

  /** `onPath` hears of each file and directory outside of firma itself before it is read. */
  constructor(onPath: (path: string) => void) {
    this.#onPath = onPath;
  }

  /** The subject of a fixture, or what is wrong with its policies. */
  get(bundle: FixtureBundle): Promise<Result<Subject, readonly FirmaError[]>> {
    const key = JSON.stringify(bundle);
    const known = this.#loaded.get(key);
    if (known !== undefined) return known;
    const loading = this.#load(bundle);
    this.#loaded.set(key, loading);
    return loading;
  }

  async #load(
    { policies, mappings }: FixtureBundle,
  ): Promise<Result<Subject, readonly FirmaError[]>> {
    if (policies.kind === "path") this.#onPath(policies.path);
    for (const name of mappings ?? []) if (isAbsolute(name)) this.#onPath(name);
    const sources = policies.kind === "path"
      ? await readPolicies(policies.path)
      : posturePolicies(policies.name);
    if (!sources.ok) return sources;
    const engine = PolicyEngine.create(sources.value.bundle);
    if (!engine.ok) return err(engine.error.map((error) => placed(error, sources.value)));
    // Reading every mapping takes a while, and most fixtures need none.
    let explainer: Result<Explainer, readonly FirmaError[]> | undefined;
    return ok({
      policies: sources.value,
      policyIds: engine.value.policyIds,
      decide: async (fixture) => {
        const { input } = fixture;
        if (input.kind === "action") {
          return ok(decideAction(engine.value, fixture, input, Date.now()));
        }
        explainer ??= loadExplainer(sources.value, mappings);
        if (!explainer.ok) return explainer;
        if (input.body.kind === "file") this.#onPath(input.body.path);
        const body = await readBody(input.body);
        if (!body.ok) return err([body.error]);
        const { request, headers } = input;
        const { agentId, context } = fixture;
        const said = await explainer.value.explain({
          request,
          headers,
          body: body.value,
          agentId,
          overrides: context,
        });
        const { decision, reason, detail, policyIds, lineage } = said;
        const applying = said.policies.map(({ id }) => id);
        return ok({
          decision,
          reason,
          detail,
          policyIds,
          applying,
          actionClass: lineage[0] ?? "",
        });
      },
    });
  }
}

function loadExplainer(
  { bundle }: PolicySources,
  mappings: FixtureBundle["mappings"],
): Result<Explainer, readonly FirmaError[]> {
  const files: MappingFile[] = [];
  const shipped = packNames("mapping");
  for (const name of mappings ?? shipped) {
    if (shipped.includes(name)) {
      files.push(...shippedMappings([name]));
      continue;
    }
    if (!isAbsolute(name)) {
      const meant = nearest(name, shipped);
      return err([{
        code: "UNKNOWN_PACK",
        message: `Cannot find mapping "${name}": there is none of that name`,
        cure: meant ? `did you mean "${meant}"?` : "firma policy list names them",
      }]);
    }
    const file = readConfigFile(name);
    if (!file.ok) return err([file.error]);
    files.push({ file: shortPath(name), text: file.value.text });
  }
  return Explainer.create({ mapping: files, bundle });
}

async function readBody(body: RequestBody): Promise<Result<Uint8Array>> {
  if (body.kind === "bytes") return ok(body.bytes);
  try {
    return ok(await Deno.readFile(body.path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const path = shortPath(body.path);
    return err({ code: "BODY", message: `Cannot read the body from "${path}": ${reason}` });
  }
}

import assert from "node:assert/strict";
import { readConfigFile } from "../../src/config/load.ts";
import { recordTrust } from "../../src/config/trust.ts";
import { newId } from "../../src/core/id.ts";
import type { ExecutionEvent } from "../../src/core/event.ts";
import { unwrap } from "../../src/core/result.ts";
import { RowExplainer } from "../../src/monitor/explainer.ts";
import { NOTHING_RUNS } from "../../src/monitor/standing/standing.ts";
import { inTempDir, sampleDecision, sampleOutcome } from "../audit/sample.ts";
import { boardOf } from "./view/scenes.ts";

const DENY = sampleDecision({
  decision: "DENY",
  deny_reason: "PolicyDenied",
  policy_ids: ["no-reading"],
});

/** A project with a policy, in a directory that a session works below. */
async function project(dir: string): Promise<string> {
  const root = `${dir}/project`;
  await Deno.mkdir(`${root}/.firma/policies`, { recursive: true });
  await Deno.mkdir(`${root}/src`);
  await Deno.mkdir(`${root}/.firma/issuance-policies`);
  await Deno.writeTextFile(
    `${root}/.firma/firma.toml`,
    `[sidecar.authority]\nagent_id = "${newId("agt")}"\n[sidecar.mapping]\nrules_paths = []\n`,
  );
  await Deno.writeTextFile(
    `${root}/.firma/policies/dev.cedar`,
    `\n@id("no-reading")\nforbid (principal, action, resource);\n`,
  );
  return root;
}

Deno.test("RowExplainer shows the policies of the project that a session works in, once it is trusted", () =>
  inTempDir(async (dir) => {
    const root = await project(dir);
    const env = { XDG_DATA_HOME: `${dir}/data`, HOME: dir };
    const started = {
      ...sampleOutcome(),
      kind: "session",
      phase: "started",
      profile: "generic",
      command: "npm",
      workspace: `${root}/src`,
    } as unknown as ExecutionEvent;
    const board = boardOf([started, DENY]);
    const row = board.rows.at(-1)!;
    const explain = async () => {
      const explainer = new RowExplainer(env, "/");
      await explainer.refresh(row, board, NOTHING_RUNS);
      return explainer.explain(row, board, NOTHING_RUNS)!;
    };
    assert.deepEqual((await explain()).unknownPolicies, ["no-reading"], "nobody trusts it");

    const config = unwrap(readConfigFile(`${root}/.firma/firma.toml`));
    unwrap(recordTrust(config, [], "command" as never, env));
    const { policies, texts } = await explain();
    assert.deepEqual(policies.map(({ id, file, line }) => [id, file, line]), [
      ["no-reading", "dev.cedar", 2],
    ]);
    assert.equal(texts?.directory, `${root}/.firma/policies`);
  }));

Deno.test("RowExplainer explains an outcome by its decision, and nothing that is none or is gone", () => {
  const explainer = new RowExplainer({}, "/");
  const abort = sampleOutcome({
    decision_event_id: DENY.event_id,
    abort_reason: "CONNECTOR_TIMEOUT",
  });
  const board = boardOf([DENY, abort]);
  const explained = explainer.explain(board.rows.at(-1)!, board, NOTHING_RUNS);
  assert.equal(explained?.event.event_id, DENY.event_id);
  assert.match(explained!.why, /did not answer in time/);
  const alone = boardOf([abort]);
  assert.equal(explainer.explain(alone.rows[0]!, alone, NOTHING_RUNS), undefined);
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { DECODERS } from "../../src/mapping/decoders/decoders.ts";
import { matchesPath, matchSegments, parsePathPattern } from "../../src/mapping/path_pattern.ts";
import { parseRuleFile } from "../../src/mapping/rule_file.ts";
import { MappingTable } from "../../src/mapping/table.ts";
import type { DecisionEvent, ExecEvent } from "../../src/core/event.ts";
import { Replay } from "../../src/replay/replay_log.ts";
import { generalise, literally } from "../../src/replay/suggest/generalise.ts";
import { Observations } from "../../src/replay/suggest/observed.ts";
import { mayMeet } from "../../src/replay/suggest/overlap.ts";
import { suggestPolicies } from "../../src/replay/suggest/suggest.ts";
import { sampleDecision } from "../audit/sample.ts";
import { engine, envelope } from "../policy/support.ts";

const MAPPING = {
  file: "test.toml",
  text: `
[[rules]]
host = "api.example.test"
method = "GET"
path = "/repos/*/*"
action_class = "code.read"

[[rules]]
host = "api.example.test"
method = "GET"
path = "/repos/*/*/contents/**"
action_class = "code.read"

[[rules]]
host = "api.example.test"
method = "GET"
path = "/user"
action_class = "code.read"
`,
};
const TABLE = MappingTable.parse([MAPPING]);
assert.ok(TABLE.ok);
const { value: table } = TABLE;
const RULES = {
  match: (call: Parameters<MappingTable["match"]>[0]) => table.match(call),
  all: parseRuleFile(MAPPING, new Set(DECODERS.keys()), false).rules,
};

function called(path: string, changes: Partial<DecisionEvent> = {}): DecisionEvent {
  const actionClass = changes.action_class ?? "code.read";
  return sampleDecision({
    action_class: actionClass,
    envelope: envelope(actionClass, { path }),
    ...changes,
  });
}

function suggested(events: readonly (DecisionEvent | ExecEvent)[], includeDenied = false) {
  const observations = new Observations(includeDenied);
  for (const event of events) observations.add(event);
  return suggestPolicies(observations.groups, RULES);
}

/** What becomes of calls under the suggestion alone. */
function decisions(
  text: string,
  events: readonly (DecisionEvent | ExecEvent)[],
): (readonly [string, number])[] {
  const replay = new Replay(engine(text));
  for (const event of events) replay.add(event);
  return replay.report().changes.map(({ now, count }) => [now, count]);
}

Deno.test("suggestPolicies() permits what went out and nothing else that the log has", () => {
  const events = [
    called("/repos/a/x"),
    called("/repos/a/y"),
    called("/user", { decision: "DENY", deny_reason: "PolicyDenied" }),
    called("/repos/a/x/contents/src/a.ts", { decision: "DENY", deny_reason: "PolicyDenied" }),
  ];
  const [policy, ...more] = suggested(events);
  assert.deepEqual(more, []);
  assert.match(policy!.text, /resource\.path == "\/repos\/a\/x"/);
  assert.match(policy!.text, /resource\.path == "\/repos\/a\/y"/);
  assert.deepEqual(decisions(policy!.text, events), []);
  assert.deepEqual(policy!.opens, []);
  const all = suggested(events, true);
  assert.deepEqual(decisions(all[0]!.text, events), [["ALLOW", 2]]);
});

Deno.test("suggestPolicies() leaves open what had many values, and counts what that opens", () => {
  const events = ["v", "w", "x", "y"].map((name) => called(`/repos/a/${name}`));
  const [policy] = suggested(events);
  assert.match(policy!.text, /resource\.path like "\/repos\/a\/\*"/);
  // A star of Cedar's takes slashes, too.
  assert.deepEqual(policy!.opens, ["GET|HEAD api.example.test/repos/*/*/contents/**"]);
  const other = called("/repos/b/x", { decision: "DENY", deny_reason: "PolicyDenied" });
  assert.deepEqual(decisions(policy!.text, [...events, other]), []);
});

Deno.test("suggestPolicies() looks at no path that numbers hide", () => {
  const hidden = envelope("code.read", { path: "/repositories/7" });
  const intent = { ...hidden.intent, hidden: ["resource.path"] };
  const event = sampleDecision({ envelope: { ...hidden, intent } });
  const [policy] = suggested([event]);
  assert.doesNotMatch(policy!.text, /resource\.path/);
  assert.deepEqual(decisions(policy!.text, [event]), []);
});

Deno.test("suggestPolicies() permits programs that ran, and no other", () => {
  const ran = (file: string): ExecEvent => {
    const { intent, ...rest } = envelope("system.execute", { transport: "exec" });
    const resource = { host: "", id: `exec://${file}`, method: "EXEC", path: file };
    const execution = { pid: 7, path: file, file, argv: [file], argc: 1, cwd: "/w" };
    return {
      ...sampleDecision({ action_class: "system.execute" }),
      kind: "exec",
      execution,
      envelope: { ...rest, intent: { ...intent, resource } },
    };
  };
  const denied = { decision: "DENY", deny_reason: "PolicyDenied" } as const;
  const events = [ran("/usr/bin/git"), { ...ran("/usr/bin/rm"), ...denied }];
  const [policy] = suggested(events);
  assert.match(policy!.text, /resource\.path == "\/usr\/bin\/git"/);
  assert.deepEqual(decisions(policy!.text, events), []);
});

// Attack: paths that would end the string they stand in, or be a star.
Deno.test("suggestPolicies() writes what an agent chose as text, and permits just that", () => {
  const evil = `/a"; permit (principal, action, resource); //*\\ü\n`;
  const [policy] = suggested([called(evil)]);
  const other = called("/else", { decision: "DENY", deny_reason: "PolicyDenied" });
  const starred = called(evil.replace("*", "anything"), {
    decision: "DENY",
    deny_reason: "PolicyDenied",
  });
  assert.deepEqual(decisions(policy!.text, [called(evil), other, starred]), []);
});

const SEGMENT = fc.stringMatching(/^[a-c*%]{1,3}$/);

Deno.test("generalise() makes shapes of which one takes each path that it was made of", () => {
  const parsed = parsePathPattern("/r/*/**/end");
  assert.ok(parsed.ok);
  const pattern = parsed.value;
  // A segment in the middle may be empty: no canonical path has one, and no matter.
  const path = fc.array(fc.oneof(SEGMENT, fc.constant("")), { minLength: 1, maxLength: 4 })
    .map((parts) => `/r/${parts.join("/")}/end`);
  fc.assert(
    fc.property(fc.array(path, { minLength: 1, maxLength: 8 }), fc.nat(3), (paths, most) => {
      const shapes = generalise(pattern, paths, most);
      for (const one of paths) {
        const taken = shapes.some((shape) => {
          const parts = shape.map((part) =>
            part === undefined ? "[^]*" : part.replace(/[*]/g, "\\$&")
          );
          return new RegExp(`^/${parts.join("/")}$`).test(one);
        });
        assert.ok(taken, one);
      }
    }),
  );
});

Deno.test("mayMeet() finds every rule that takes a path of the shape", () => {
  const patterns = ["/a/*", "/a/**", "/*/b/**/c", "/a/b", "/a*/b", "/"]
    .map((text) => {
      const parsed = parsePathPattern(text);
      assert.ok(parsed.ok);
      return parsed.value;
    });
  const path = fc.array(SEGMENT, { maxLength: 5 }).map((parts) => `/${parts.join("/")}`);
  fc.assert(fc.property(path, fc.array(fc.boolean(), { minLength: 6 }), (one, open) => {
    const shape = literally(one).map((part, i) => open[i] ? undefined : part);
    for (const pattern of patterns) {
      if (matchesPath(pattern, matchSegments(one))) {
        assert.ok(mayMeet(shape, pattern), pattern.text);
      }
    }
  }));
  const [first] = patterns;
  assert.equal(mayMeet(["b", undefined], first!), false);
  assert.equal(mayMeet(["a", "x", "y"], first!), false);
});

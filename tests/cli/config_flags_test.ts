import assert from "node:assert/strict";
import fc from "fast-check";
import { flagAnswers, type SetUpFlags } from "../../src/cli/config/set_up_flags.ts";
import { withExtraHosts } from "../../src/config/setup/extra_hosts.ts";
import { MappingTable } from "../../src/mapping/table.ts";

const DIRECTORY = "/p/.firma";

Deno.test("flagAnswers() reads what every flag says", () => {
  const flags = {
    mode: "agent-remote",
    profile: "codex",
    agentId: "agt_00000000000000000000000000",
    posture: "strict",
    mapping: ["npm", "pypi,cargo"],
    extraHosts: "A.test., *.b.test,",
    authorityUrl: "https://a.test:9443",
    authorityCaCert: "/p/.firma/tls/ca.crt",
    authorityPubKey: "/elsewhere/a.pub",
  };
  const answers = flagAnswers(flags, DIRECTORY);
  assert.ok(answers.ok);
  const { mapping: _, ...same } = flags;
  assert.deepEqual(answers.value, {
    ...same,
    mappings: ["npm", "pypi", "cargo"],
    extraHosts: ["a.test", "*.b.test"],
    authorityCaCert: "tls/ca.crt",
  });
  assert.deepEqual(flagAnswers({}, DIRECTORY), { ok: true, value: {} });
  const socket = flagAnswers({ stateDir: "/run/f" }, DIRECTORY);
  assert.ok(socket.ok && socket.value.authorityListen === "unix:///run/f/authority.sock");
});

// Attack: an answer that would say more than it seems, in a file that decides what is permitted.
const REFUSED: Record<string, SetUpFlags> = {
  "a host with a line of its own": { extraHosts: 'a.test"\naction_class = "code.read' },
  "a host with an escape": { extraHosts: "a.test\u001b]0;owned\u0007" },
  "a host with a quote": { extraHosts: 'a"test' },
  "every host of a top-level domain": { extraHosts: "*.com" },
  "every host": { extraHosts: "a.test,*" },
  "an address": { extraHosts: "https://a.test/" },
  "a mapping elsewhere": { mapping: ["../../../etc/passwd"] },
  "a mapping around a corner": { mapping: ["npm/../npm"] },
  "a posture elsewhere": { posture: "../mappings/npm" },
  "a profile with a table": { profile: "codex\n[authority]" },
  "an agent id with a line feed": { agentId: "agt_00000000000000000000000000\n" },
  "a listener with a table": { authorityListen: "127.0.0.1:1\n[run]" },
  "an Authority without TLS": { authorityUrl: "http://a.test" },
  "a path with a line feed": { authorityPubKey: "a\nb" },
  "no mode of ours": { mode: "agent" },
};

for (const [name, flags] of Object.entries(REFUSED)) {
  Deno.test(`flagAnswers() refuses ${name}`, () => {
    const answers = flagAnswers(flags, DIRECTORY);
    assert.ok(!answers.ok && answers.error[0]!.cure, JSON.stringify(answers));
  });
}

Deno.test("withExtraHosts() gives each host one rule, and keeps what is there", () => {
  const once = withExtraHosts(undefined, ["a.test", "*.b.test"]);
  assert.ok(once.ok);
  const table = MappingTable.parse([{ file: "mapping-rules.toml", text: once.value }]);
  assert.equal(table.ok && table.value.size, 2);
  const edited = `${once.value}# mine`;
  const again = withExtraHosts(edited, ["A.test", "c.test"]);
  assert.ok(again.ok && again.value.startsWith(`${edited}\n`));
  assert.equal(again.value.match(/host = /g)?.length, 3);
});

Deno.test("withExtraHosts() writes rules or refuses, whatever it is given", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), (hosts) => {
    const text = withExtraHosts(undefined, hosts);
    if (!text.ok) return;
    const table = MappingTable.parse([{ file: "mapping-rules.toml", text: text.value }]);
    assert.ok(hosts.length === 0 || table.ok, text.value);
  }));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { unwrap } from "../../../src/core/result.ts";
import { newId } from "../../../src/core/id.ts";
import { findClient, parseAllowList } from "../../../src/authority/service/allow_list.ts";

const FINGERPRINT = "ab".repeat(32);
const ANA = { names: ["a.test", "b.test"], commonName: "ana", fingerprint: FINGERPRINT };

function lets(toml: string, names = ANA): boolean {
  return findClient(unwrap(parseAllowList(toml, "clients.toml")), names) !== undefined;
}

Deno.test("findClient() lets in who fits everything that an entry names", async (t) => {
  const cases: Record<string, [string, boolean]> = {
    "nobody": ["", false],
    "the common name": ['[[authorized]]\ncn = "ana"', true],
    "another common name": ['[[authorized]]\ncn = "an"', false],
    "the common name in capitals": ['[[authorized]]\ncn = "ANA"', false],
    "a further name": ['[[authorized]]\nsan = "b.test"', true],
    "a common name for a further name": ['[[authorized]]\nsan = "ana"', false],
    "a further name for a common name": ['[[authorized]]\ncn = "a.test"', false],
    "both": ['[[authorized]]\nsan = "a.test"\ncn = "ana"', true],
    "one of both": ['[[authorized]]\nsan = "a.test"\ncn = "bob"', false],
    "the fingerprint": [`[[authorized]]\nfingerprint = "${FINGERPRINT}"`, true],
    "the fingerprint as OpenSSL writes it": [
      `[[authorized]]\nfingerprint = "${"AB:".repeat(31)}AB"`,
      true,
    ],
    "another fingerprint": [`[[authorized]]\nfingerprint = "${"cd".repeat(32)}"`, false],
    "the second entry": ['[[authorized]]\ncn = "bob"\n[[authorized]]\ncn = "ana"', true],
    "revoked all the same": [
      `[[authorized]]\ncn = "ana"\n[[revoked]]\nfingerprint = "${FINGERPRINT}"`,
      false,
    ],
  };
  for (const [name, [toml, expected]] of Object.entries(cases)) {
    await t.step(name, () => assert.equal(lets(toml), expected));
  }
});

Deno.test("findClient() gives the agents of the entry for that very certificate", () => {
  const [one, two] = [newId("agt"), newId("agt")];
  const list = unwrap(parseAllowList(
    `[[authorized]]
cn = "ana"
agents = ["${one}"]
[[authorized]]
fingerprint = "${FINGERPRINT}"
agents = ["${two}"]
`,
    "clients.toml",
  ));
  assert.deepEqual(findClient(list, ANA)?.agents, [two]);
  assert.deepEqual(findClient(list, { ...ANA, fingerprint: "" })?.agents, [one]);
});

Deno.test("parseAllowList() takes no list with a mistake in it", async (t) => {
  const cases: Record<string, string> = {
    "an entry for anybody": "[[authorized]]",
    "an entry with notes alone": '[[authorized]]\nnotes = "x"',
    "an unknown key": '[[authorized]]\ncn = "ana"\nname = "x"',
    "an unknown table": '[[allowed]]\ncn = "ana"',
    "an empty name": '[[authorized]]\ncn = ""',
    "a short fingerprint": '[[authorized]]\nfingerprint = "ab"',
    "no agent": '[[authorized]]\ncn = "ana"\nagents = ["builder"]',
    "no list": 'authorized = "ana"',
    "no TOML": "[[authorized",
  };
  for (const [name, toml] of Object.entries(cases)) {
    await t.step(name, () => assert.ok(!parseAllowList(toml, "clients.toml").ok));
  }
});

Deno.test("parseAllowList() never throws, and findClient() lets nobody in by chance", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const parsed = parseAllowList(text, "clients.toml");
    if (parsed.ok) assert.equal(findClient(parsed.value, ANA), undefined);
  }));
});

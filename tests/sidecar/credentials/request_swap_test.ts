import assert from "node:assert/strict";
import fc from "fast-check";
import { FormSwapper } from "../../../src/sidecar/credentials/request_form.ts";
import { JsonSwapper } from "../../../src/sidecar/credentials/request_json.ts";
import { PlaceholderRefusal } from "../../../src/sidecar/credentials/request_place.ts";
import { swapHeader } from "../../../src/sidecar/credentials/request_text.ts";
import { FOREIGN, noting, OWN, resolve, search, SECRET, through } from "./request_support.ts";

const json = (text: string, sizes?: readonly number[]) =>
  through(new JsonSwapper("json", search, resolve), text, sizes);
const form = (text: string, sizes?: readonly number[]) =>
  through(new FormSwapper("form", search, resolve), text, sizes);
const header = (name: string, value: string) => swapHeader(name, value, search, resolve);

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
const unicode = (text: string) =>
  [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`).join("");
const percent = (text: string) => [...text].map((c) => `%${c.charCodeAt(0).toString(16)}`).join("");

Deno.test("swapHeader() swaps what follows a scheme, and leaves others as they are", () => {
  assert.equal(header("authorization", `Bearer ${OWN}`), `Bearer ${SECRET}`);
  assert.equal(header("x-api-key", OWN), SECRET);
  assert.equal(header("authorization", "Bearer nothing-of-ours"), undefined);
  assert.throws(() => header("authorization", `Bearer ${FOREIGN}`), PlaceholderRefusal);
});

Deno.test("swapHeader() swaps within what Basic encodes, however that is written", () => {
  const decoded = (value: string) => atob(value.slice("Basic ".length));
  for (const user of ["", "x", "xy", "xyz"]) {
    const encoded = btoa(`${user}:${OWN}`);
    const wanted = `${user}:${SECRET}`;
    assert.equal(decoded(header("authorization", `Basic ${encoded}`)!), wanted);
    assert.equal(decoded(header("authorization", `basic  ${encoded}`)!.slice(1)), wanted);
    const loose = encoded.replace(/=+$/, "").replace(/\+/g, "-").replace(/\//g, "_");
    assert.equal(decoded(header("authorization", `Basic ${loose}`)!), wanted);
  }
  assert.equal(header("authorization", `Basic ${btoa("user:password")}`), undefined);
  assert.equal(header("authorization", "Basic !!!"), undefined);
});

Deno.test("swapHeader() finds a foreign placeholder that Basic hides", () => {
  assert.throws(
    () => header("authorization", `Basic ${btoa(`x:${FOREIGN}`)}`),
    PlaceholderRefusal,
  );
});

Deno.test("JsonSwapper swaps members for secrets, and escapes what it puts there", () => {
  const sent = { a: [1, { "refresh_token": OWN, "note": 'a "quote" \\' }], "client-secret": OWN };
  const arrived = JSON.parse(json(JSON.stringify(sent, undefined, 2)));
  assert.deepEqual(arrived, {
    a: [1, { "refresh_token": SECRET, "note": 'a "quote" \\' }],
    "client-secret": SECRET,
  });
});

Deno.test("JsonSwapper leaves every byte of what holds no placeholder", () => {
  fc.assert(fc.property(fc.json(), sizes, (text, sizes) => assert.equal(json(text, sizes), text)));
  const odd = fc.stringMatching(/^["\\:,{}a-z ]{0,60}$/);
  fc.assert(fc.property(odd, sizes, (text, sizes) => assert.equal(json(text, sizes), text)));
});

Deno.test("JsonSwapper does the same however its input is cut", () => {
  const name = fc.constantFrom("token", "tok\\u0065n", "note", "password", 'a\\"b');
  const value = fc.constantFrom(OWN, unicode(OWN), `Bearer ${OWN}`, "other", "", "\\\\", '\\"');
  const member = fc.tuple(name, value).map(([name, value]) => `"${name}" : "${value}"`);
  const texts = fc.array(member, { maxLength: 5 }).map((members) => `{${members.join(", ")}}`);
  fc.assert(fc.property(texts, sizes, (text, sizes) => {
    const outcome = (run: () => string) => {
      try {
        return run();
      } catch (error) {
        assert.ok(error instanceof PlaceholderRefusal);
        return error.message;
      }
    };
    assert.equal(outcome(() => json(text, sizes)), outcome(() => json(text)));
  }));
});

Deno.test("JsonSwapper refuses the own placeholder where others could read what it stands for", () => {
  // The text of an issue is no place for a secret, whoever asks to have it there.
  for (
    const text of [
      JSON.stringify({ title: "look", body: OWN }),
      JSON.stringify({ body: `"token":"${OWN}"` }),
      JSON.stringify({ [OWN]: 1 }),
      JSON.stringify({ token: [OWN] }),
      JSON.stringify([{ token: "x" }, OWN]),
      `{"body":"${unicode(OWN)}"}`,
      `{"token" "${OWN}"}`,
      `{"token":"${OWN}\u0001"}`,
      `{"token":"${OWN}`,
      `{"token":${OWN}}`,
      `{"${"x".repeat(10_000)}token":"${OWN}"}`,
      `{"token":"${"x".repeat(100_000)}${OWN}"}`,
    ]
  ) {
    assert.throws(() => json(text), PlaceholderRefusal, text.slice(0, 80));
    assert.throws(() => json(text, [3]), PlaceholderRefusal);
  }
});

Deno.test("FormSwapper swaps fields for secrets, and encodes what it puts there", () => {
  const arrived = new URLSearchParams(form(`grant_type=refresh_token&refresh_token=${OWN}&x=1+2`));
  assert.deepEqual([...arrived], [
    ["grant_type", "refresh_token"],
    ["refresh_token", SECRET],
    ["x", "1 2"],
  ]);
  assert.equal(
    form(`client_%73ecret=${percent(OWN)}`),
    `client_%73ecret=${encodeURIComponent(SECRET)}`,
  );
});

Deno.test("FormSwapper leaves every byte of what holds no placeholder, however cut", () => {
  const odd = fc.stringMatching(/^(token|a|=|&|%|%4|%41|\+|b){0,30}$/);
  fc.assert(fc.property(odd, sizes, (text, sizes) => assert.equal(form(text, sizes), text)));
});

Deno.test("FormSwapper does the same however its input is cut", () => {
  const name = fc.constantFrom("token", "t%6fken", "note", "api_key");
  const value = fc.constantFrom(OWN, percent(OWN), `Bearer+${OWN}`, "other", "", "a=b", "%zz");
  const pairs = fc.tuple(name, value).map((pair) => pair.join("="));
  const texts = fc.array(pairs, { maxLength: 5 }).map((all) => all.join("&"));
  fc.assert(fc.property(texts, sizes, (text, sizes) => {
    const outcome = (run: () => string) => {
      try {
        return run();
      } catch (error) {
        assert.ok(error instanceof PlaceholderRefusal);
        return error.message;
      }
    };
    assert.equal(outcome(() => form(text, sizes)), outcome(() => form(text)));
  }));
});

Deno.test("FormSwapper refuses the own placeholder in any other field", () => {
  for (
    const text of [
      `body=${OWN}`,
      `body=${percent(OWN)}`,
      `${OWN}=1`,
      OWN,
      `a=1;token=${OWN}`,
      `body=token=${OWN}`,
      `token=${"x".repeat(100_000)}${OWN}`,
      `key=${OWN}`,
    ]
  ) {
    assert.throws(() => form(text), PlaceholderRefusal, text.slice(0, 80));
    assert.throws(() => form(text, [3]), PlaceholderRefusal);
  }
});

Deno.test("FormSwapper takes a parameter of an URL for a key where a field of a form is none", () => {
  const query = new FormSwapper("query", search, resolve);
  assert.equal(through(query, `key=${OWN}`), `key=${encodeURIComponent(SECRET)}`);
});

Deno.test("swappers leave what is to be left", () => {
  const text = JSON.stringify({ token: OWN, note: FOREIGN });
  const notes = noting();
  assert.equal(through(new JsonSwapper("json", search, notes.resolve), text, [7]), text);
  assert.deepEqual(notes.seen.at(0), [OWN, { kind: "json", name: "token" }]);
  assert.deepEqual(notes.seen.at(-1), [FOREIGN, { kind: "json", name: "" }]);
});

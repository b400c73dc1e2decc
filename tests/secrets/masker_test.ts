import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { MaskTable } from "../../src/secrets/mask_table.ts";
import { Masker, type MaskOptions } from "../../src/secrets/masker.ts";
import { type Choose, htmlEscaped, jsonEscaped, percentEncoded } from "./encodings.ts";

const SECRET = "ghp_x7Qm/2Lw+9Zt=K4vB";
const PLACEHOLDER = "ghp_placeholder_00001";

function tableOf(...secrets: readonly (readonly [string, string])[]): MaskTable {
  return MaskTable.of(secrets.map(([secret, placeholder]) => ({ secret, placeholder })));
}

function mask(table: MaskTable, pieces: readonly Uint8Array[], options?: MaskOptions): Buffer {
  const masker = new Masker(() => table, options);
  const out = pieces.map((piece) => Buffer.from(masker.push(piece)));
  return Buffer.concat([...out, masker.end()]);
}

function maskText(text: string, table = tableOf([SECRET, PLACEHOLDER]), options?: MaskOptions) {
  return mask(table, [Buffer.from(text)], options).toString();
}

/** Cuts bytes at the places that `cuts` names, in thousandths. */
function cut(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const places = cuts.map((at) => Math.round(at / 1000 * bytes.length)).sort((a, b) => a - b);
  return [0, ...places].map((from, i) => bytes.subarray(from, places[i] ?? bytes.length));
}

const always: Choose = () => 0;
const never: Choose = (below) => below - 1;
const anyCuts = fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 12 });
const anySecret = fc.string({ minLength: 8, maxLength: 60, unit: "grapheme-ascii" });
const anyChoices = fc.infiniteStream(fc.nat()).map((stream): Choose => (below) =>
  stream.next().value! % below
);

const FORMS: Readonly<Record<string, (secret: string, choose: Choose) => string>> = {
  "as it is": (secret) => secret,
  "in JSON": (secret) => JSON.stringify(secret).slice(1, -1),
  "in JSON, all escaped": (secret) => jsonEscaped(secret, always),
  "in JSON, some escaped": jsonEscaped,
  "in JSON in JSON": (secret) => JSON.stringify(JSON.stringify(secret)).slice(3, -3),
  "in JSON in JSON, some escaped": (secret, choose) => jsonEscaped(secret, choose, 2),
  "in a URL": (secret) => encodeURIComponent(secret),
  "in a URL, all escaped": (secret) => percentEncoded(secret, always),
  "in a URL, some escaped": percentEncoded,
  "in a URL in a URL": (secret) => encodeURIComponent(encodeURIComponent(secret)),
  "in a URL in a URL, some escaped": (secret, choose) => percentEncoded(secret, choose, 2),
  "in a form": (secret) => new URLSearchParams({ x: secret }).toString().slice(2),
  "in HTML": htmlEscaped,
  "in HTML, all escaped": (secret) => htmlEscaped(secret, always),
  "in hex": (secret) => Buffer.from(secret).toString("hex"),
  "in upper-case hex": (secret) => Buffer.from(secret).toString("hex").toUpperCase(),
};

for (const [name, write] of Object.entries(FORMS)) {
  Deno.test(`Masker replaces a secret ${name}, wherever it is cut`, () => {
    fc.assert(
      fc.property(anySecret, anyChoices, anyCuts, fc.string(), (secret, choose, cuts, around) => {
        const text = `${around.replaceAll(/[%\\&]/g, "")}: ${write(secret, choose)}; the end`;
        const table = tableOf([secret, "fsp_stand_in"]);
        const out = mask(table, cut(Buffer.from(text), cuts)).toString();
        const stands = /hex/.test(name) ? FORMS[name]!("fsp_stand_in", never) : "fsp_stand_in";
        // Digits alone have no case.
        assert.ok(out.toLowerCase().includes(stands.toLowerCase()), out);
        assert.ok(!out.includes(write(secret, choose)), out);
        assert.ok(out.endsWith("; the end"), out);
        assert.ok(out.length <= text.length + stands.length - 8, out);
      }),
      { numRuns: 60 },
    );
  });
}

for (const alphabet of ["base64", "base64url"] as const) {
  Deno.test(`Masker replaces a secret in ${alphabet} and leaves its neighbours, wherever it is cut`, () => {
    fc.assert(
      fc.property(anySecret, fc.string(), fc.string(), anyCuts, (secret, before, after, cuts) => {
        fc.pre(
          !(before + after).includes(secret) &&
            !`${before}${secret}${after}`.slice(1).includes(secret + secret),
        );
        const same = "z".repeat(Buffer.byteLength(secret));
        fc.pre(secret !== same);
        const text = Buffer.from(`${before}${secret}${after}`).toString(alphabet);
        const out = mask(tableOf([secret, same]), cut(Buffer.from(text), cuts)).toString();
        const decoded = Buffer.from(out, alphabet).toString();
        assert.equal(decoded.length, `${before}${same}${after}`.length);
        assert.ok(!decoded.includes(secret));
        assert.ok(decoded.startsWith(before) || before.includes(secret.slice(0, 1)), decoded);
      }),
      { numRuns: 300 },
    );
  });
}

Deno.test("Masker gives the same however bytes are cut", () => {
  const word = fc.constantFrom(
    "secret-A",
    "secret",
    "-Asecret",
    "%73",
    "\\u0073",
    "\\",
    "&#115",
    ";",
    "&amp;",
    "A",
    "c2VjcmV0",
  );
  const secrets = ["secret-A", "secret-Asecret", "ret-Asec", "\\secret-A", "a%b&c\\d&amp;"];
  const table = tableOf(...secrets.map((secret, i) => [secret, `fsp_${i}`] as const));
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 40 }),
      anyCuts,
      fc.boolean(),
      (words, cuts, sameSize) => {
        const bytes = Buffer.from(words.join(""));
        const whole = mask(table, [bytes], { sameSize }).toString();
        assert.equal(mask(table, cut(bytes, cuts), { sameSize }).toString(), whole);
        const single = [...bytes].map((byte) => Uint8Array.of(byte));
        assert.equal(mask(table, single, { sameSize }).toString(), whole);
        if (sameSize) assert.equal(whole.length, bytes.length);
        for (const secret of secrets) assert.ok(!whole.includes(secret), whole);
      },
    ),
    { numRuns: 400 },
  );
});

Deno.test("Masker leaves bytes without secrets as they are", () => {
  const table = tableOf([SECRET, PLACEHOLDER], ["correct horse battery", "fsp_1"]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4_000 }), anyCuts, (bytes, cuts) => {
      assert.deepEqual(mask(table, cut(Buffer.from(bytes), cuts)), Buffer.from(bytes));
    }),
  );
  const text = `${SECRET.slice(0, -1)} %67%68 \\u0067\\ &#103; &am ${SECRET.slice(1)}`;
  assert.equal(maskText(text), text);
});

Deno.test("Masker finds neighbours and secrets that overlap", () => {
  const table = tableOf(["first-secret", "fsp_1"], ["second-one!", "fsp_2"], [
    "secretsecond",
    "fsp_3",
  ]);
  assert.equal(maskText("first-secretsecond-one!", table), "fsp_1fsp_3fsp_2");
  const joined = Buffer.from("xfirst-secretsecond-one!y").toString("base64");
  const decoded = Buffer.from(maskText(joined, table), "base64").toString("latin1");
  assert.doesNotMatch(decoded, /secret|second|first/);
});

Deno.test("Masker lets everything before a possible secret go at once", () => {
  const masker = new Masker(() => tableOf([SECRET, PLACEHOLDER]));
  assert.equal(masker.push(Buffer.from("data: 1\n\n")).toString(), "data: 1\n\n");
  assert.equal(masker.push(Buffer.from(`data: ${SECRET.slice(0, 9)}`)).toString(), "data: ");
  assert.equal(masker.push(Buffer.from("!\n\n")).toString(), `${SECRET.slice(0, 9)}!\n\n`);
  assert.equal(
    masker.push(Buffer.from(`\\u00${Buffer.from(SECRET[0]!).toString("hex")}`)).length,
    0,
  );
  assert.equal(masker.push(Buffer.from(SECRET.slice(1))).toString(), PLACEHOLDER);
  assert.equal(masker.replaced, 1);
});

Deno.test("Masker looks for secrets that became known after it began", () => {
  let table = tableOf();
  const masker = new Masker(() => table);
  assert.equal(masker.push(Buffer.from(SECRET)).toString(), SECRET);
  table = tableOf([SECRET, PLACEHOLDER]);
  assert.equal(masker.push(Buffer.from(SECRET)).toString(), PLACEHOLDER);
});

Deno.test("Masker finds the lines of a key that lost its line ends", () => {
  const line = (letter: string) => letter.repeat(63) + "=";
  const key = `-----BEGIN PRIVATE KEY-----\n${line("Q")}\n${
    line("r")
  }\n-----END PRIVATE KEY-----\n`;
  const out = maskText(`  ${line("Q")}\r\n  ${line("r")}`, tableOf([key, "fsp_key"]));
  assert.equal(out, "  fsp_key\r\n  fsp_key");
  assert.equal(maskText(JSON.stringify({ key }), tableOf([key, "fsp_key"])), '{"key":"fsp_key"}');
});

Deno.test("Masker does not look for what is too short to be told apart", () => {
  assert.equal(maskText("pin 1234567", tableOf(["1234567", "fsp_1"])), "pin 1234567");
});

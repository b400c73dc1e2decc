import assert from "node:assert/strict";
import { crc32 as zlibCrc32 } from "node:zlib";
import {
  mintPlaceholder,
  PLACEHOLDER_SHAPES,
  type PlaceholderShape,
  usualShape,
} from "../../src/secrets/placeholder_shapes.ts";
import { crc32 } from "../../src/secrets/crc32.ts";

const FORMS: Readonly<Record<PlaceholderShape, RegExp>> = {
  "fsp": /^fsp_[0-7][0-9a-hjkmnp-tv-z]{25}$/,
  "uuid": /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
  "jwt": /^eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{342}$/,
  "anthropic": /^sk-ant-api03-[\w-]{93}AA$/,
  "anthropic-oauth": /^sk-ant-oat01-[\w-]{93}AA$/,
  "anthropic-refresh": /^sk-ant-ort01-[\w-]{93}AA$/,
  "openai": /^sk-[a-zA-Z0-9]{20}T3BlbkFJ[a-zA-Z0-9]{20}$/,
  "openai-project": /^sk-proj-[\w-]{74}T3BlbkFJ[\w-]{74}$/,
  "google": /^AIza[\w-]{35}$/,
  "github": /^ghp_[a-zA-Z0-9]{36}$/,
  "github-oauth": /^gho_[a-zA-Z0-9]{36}$/,
  "github-fine-grained": /^github_pat_[a-zA-Z0-9]{22}_[a-zA-Z0-9]{59}$/,
  "gitlab": /^glpat-[\w-]{20}$/,
  "slack": /^xoxb-\d{12}-\d{13}-[a-zA-Z0-9]{24}$/,
  "npm": /^npm_[a-zA-Z0-9]{36}$/,
  "huggingface": /^hf_[a-zA-Z]{34}$/,
  "pypi": /^pypi-AgEIcHlwaS5vcmc[\w-]{50,1000}$/,
  "stripe": /^sk_test_[a-zA-Z0-9]{99}$/,
  "aws-access-key-id": /^AKIA[A-Z2-7]{16}$/,
  "aws-secret-access-key": /^[A-Za-z0-9/+=]{40}$/,
};

Deno.test("mintPlaceholder() makes what the clients of each service take for a secret", () => {
  for (const shape of PLACEHOLDER_SHAPES) assert.match(mintPlaceholder(shape), FORMS[shape], shape);
});

Deno.test("mintPlaceholder() uses only what JSON, URLs and forms leave as it is", () => {
  for (const shape of PLACEHOLDER_SHAPES) {
    const text = mintPlaceholder(shape);
    assert.match(text, /^[A-Za-z0-9._-]+$/, shape);
    assert.equal(encodeURIComponent(text), text);
    assert.ok(text.length >= 20, `${shape} has ${text.length} characters`);
  }
});

Deno.test("mintPlaceholder() never makes the same one twice", () => {
  for (const shape of PLACEHOLDER_SHAPES) {
    const made = Array.from({ length: 200 }, () => mintPlaceholder(shape));
    assert.equal(new Set(made).size, made.length, shape);
  }
});

Deno.test("mintPlaceholder() ends tokens with the checksum that secret scanners verify", () => {
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  for (const shape of ["github", "github-oauth", "github-fine-grained", "npm"] as const) {
    const last = mintPlaceholder(shape).split("_").at(-1)!;
    const said = [...last.slice(-6)].reduce((sum, digit) => sum * 62 + digits.indexOf(digit), 0);
    assert.equal(said, zlibCrc32(last.slice(0, -6)), shape);
  }
});

Deno.test("crc32() agrees with zlib's", () => {
  for (const text of ["", "a", "123456789", "x".repeat(1000)]) {
    assert.equal(crc32(text), zlibCrc32(text));
  }
});

Deno.test("mintPlaceholder() makes tokens that claim nothing but a far expiry", () => {
  const [header, payload] = mintPlaceholder("jwt").split(".").slice(0, 2)
    .map((part) => JSON.parse(atob(part.replace(/-/g, "+").replace(/_/g, "/"))));
  assert.equal(header.typ, "JWT");
  assert.ok(payload.exp > Date.now() / 1000 + 10 * 365 * 86_400);
  assert.deepEqual(Object.keys(payload).sort(), ["exp", "iat", "iss", "jti", "sub"]);
});

Deno.test("usualShape() goes by the variable, then by the host", () => {
  assert.equal(usualShape({ variable: "GH_TOKEN", host: "ghe.test" }), "github");
  assert.equal(usualShape({ variable: "SOMETHING", host: "api.openai.com" }), "openai");
  assert.equal(usualShape({ host: "api.test" }), "fsp");
  assert.equal(usualShape({ variable: "constructor", host: "__proto__" }), "fsp");
});

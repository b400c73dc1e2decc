import assert from "node:assert/strict";
import fc from "fast-check";
import { normaliseHost } from "../../src/mapping/host.ts";

function canonical(raw: string): string {
  const result = normaliseHost(raw);
  return result.ok ? result.value : `refused: ${result.error.message}`;
}

const SAME: Readonly<Record<string, string>> = {
  "example.test": "example.test",
  "EXAMPLE.Test": "example.test",
  "example.test.": "example.test",
  "a-b.c--d.test": "a-b.c--d.test",
  "under_score.test": "under_score.test",
  "localhost": "localhost",
  "bücher.test": "xn--bcher-kva.test",
  "BÜCHER.test": "xn--bcher-kva.test",
  "xn--bcher-kva.test": "xn--bcher-kva.test",
  "XN--BCHER-KVA.TEST": "xn--bcher-kva.test",
  "ｅxample.test": "example.test",
  "example。test": "example.test",
  "ex\u00adample.test": "example.test",
  "127.0.0.1": "127.0.0.1",
  "127.0.0.1.": "127.0.0.1",
  "8.8.8.8": "8.8.8.8",
  "[::1]": "[::1]",
  "[0:0:0:0:0:0:0:1]": "[::1]",
  "[2001:DB8:0:0:1:0:0:1]": "[2001:db8::1:0:0:1]",
  "[2001:db8::]": "[2001:db8::]",
  "[::]": "[::]",
  "[2001:db8:0:1:1:1:1:1]": "[2001:db8:0:1:1:1:1:1]",
  "[1:2:3:4:5:6:7.8.9.10]": "[1:2:3:4:5:6:708:90a]",
};

const REFUSED: Readonly<Record<string, string>> = {
  "nothing": "",
  "only a dot": ".",
  "two trailing dots": "example.test..",
  "an empty label": "a..test",
  "a leading dot": ".example.test",
  "a label that starts with a hyphen": "-a.test",
  "a label that ends in a hyphen": "a-.test",
  "a label of 64 characters": `${"a".repeat(64)}.test`,
  "254 characters": `${"a.".repeat(125)}test`,
  "user information": "user@example.test",
  "user information that looks like the host": "example.test:443@evil.test",
  "a port": "example.test:443",
  "a path": "example.test/a",
  "a percent sign": "example%2etest",
  "a space": "example .test",
  "a leading space": " example.test",
  "a tab": "example\t.test",
  "a line feed": "example.test\nHost: evil.test",
  "a carriage return": "example.test\r",
  "NUL": "example.test\0.evil.test",
  "a fullwidth slash": "example.test\uff0fa",
  "a fullwidth at sign": "user\uff20example.test",
  "a fullwidth number sign": "evil.test\uff03.example.test",
  "an invalid A-label": "xn--a.test",
  "an A-label of plain ASCII": "xn--example-.test",
  "a right-to-left override": "exa\u202emple.test",
  "a lone surrogate": "ex\ud800ample.test",
  "a short IPv4 address": "127.1",
  "an IPv4 address as one number": "2130706433",
  "an IPv4 address in hexadecimal": "0x7f.0.0.1",
  "an IPv4 address as one hexadecimal number": "0x7f000001",
  "an IPv4 address in octal": "0177.0.0.1",
  "an IPv4 number with a leading zero": "127.0.0.01",
  "an IPv4 number that is too large": "127.0.0.256",
  "five IPv4 numbers": "1.2.3.4.5",
  "an IPv4 address in fullwidth digits": "１２７.1",
  "a number as the last label": "example.1",
  "a hexadecimal last label": "example.0x7f",
  "an IPv6 address without brackets": "::1",
  "an unclosed bracket": "[::1",
  "a zone": "[fe80::1%25eth0]",
  "a raw zone": "[fe80::1%eth0]",
  "two gaps": "[1::2::3]",
  "nine groups": "[1:2:3:4:5:6:7:8:9]",
  "seven groups": "[1:2:3:4:5:6:7]",
  "a group of five digits": "[12345::]",
  "an IPv4-mapped address": "[::ffff:127.0.0.1]",
  "an IPv4-mapped address in hexadecimal": "[::ffff:7f00:1]",
  "an IPv4-mapped address in full": "[0:0:0:0:0:ffff:7f00:1]",
  "an IPv4-compatible address": "[::127.0.0.1]",
  "an IPv4-translated address": "[::ffff:0:127.0.0.1]",
  "a NAT64 address": "[64:ff9b::7f00:1]",
  "a local NAT64 address": "[64:ff9b:1::7f00:1]",
  "an IPv4 part before the gap": "[1.2.3.4::]",
  "an IP literal of the future": "[v1.a]",
};

for (const [raw, expected] of Object.entries(SAME)) {
  Deno.test(`normaliseHost() turns ${JSON.stringify(raw)} into "${expected}"`, () => {
    assert.equal(canonical(raw), expected);
  });
}

for (const [what, raw] of Object.entries(REFUSED)) {
  Deno.test(`normaliseHost() refuses ${what}`, () => {
    const result = normaliseHost(raw);
    assert.ok(!result.ok, `took ${JSON.stringify(raw)} for ${result.ok && result.value}`);
    assert.equal(result.error.code, "MALFORMED_REQUEST");
    // deno-lint-ignore no-control-regex -- controls must not reach a terminal
    assert.doesNotMatch(result.error.message, /[\x00-\x1f\u202e]/);
  });
}

Deno.test("normaliseHost() is idempotent", () => {
  const label = fc.string({ unit: fc.constantFrom(..."abcXYZ019-_éßı。．"), maxLength: 12 });
  const host = fc.oneof(
    fc.array(label, { maxLength: 5 }).map((labels) => labels.join(".")),
    fc.domain(),
    fc.ipV4(),
    fc.ipV4Extended(),
    fc.ipV6().map((address) => `[${address}]`),
    fc.string(),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(host, (raw) => {
      const once = normaliseHost(raw);
      if (once.ok) assert.deepEqual(normaliseHost(once.value), once);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("normaliseHost() yields nothing but host characters", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.webAuthority()), (raw) => {
      const result = normaliseHost(raw);
      if (result.ok) assert.match(result.value, /^(?:[a-z0-9_.-]+|\[[0-9a-f:]+\])$/);
    }),
    { numRuns: 3000 },
  );
});

Deno.test("normaliseHost() agrees with URL on every address that it takes", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6().map((text) => `[${text}]`));
  fc.assert(fc.property(address, (raw) => {
    const result = normaliseHost(raw);
    if (result.ok) assert.equal(result.value, new URL(`http://${raw}/`).hostname);
  }));
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { blockedAddress } from "../../../src/sidecar/transport/address_guard.ts";

const BLOCKED: Readonly<Record<string, readonly string[]>> = {
  unspecified: ["0.0.0.0", "0.1.2.3", "::", "0:0:0:0:0:0:0:0"],
  loopback: ["127.0.0.1", "127.255.255.255", "::1", "0:0:0:0:0:0:0:1", "::0001"],
  private: [
    "10.0.0.0",
    "10.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.0",
    "192.168.255.255",
  ],
  "private (unique local)": ["fc00::", "fdff::1", "fd00:ec2::254", "FD00::1"],
  "private (site-local)": ["fec0::1", "feff::1"],
  "link-local": ["fe80::1", "febf::1", "fe80::1%eth0"],
  "link-local (cloud metadata)": ["169.254.0.0", "169.254.169.254", "169.254.255.255"],
  "cloud metadata": ["168.63.129.16"],
  "shared (carrier-grade NAT)": ["100.64.0.0", "100.100.100.200", "100.127.255.255"],
  multicast: ["224.0.0.1", "239.255.255.255", "ff02::1", "ff00::"],
  reserved: ["192.0.0.192", "240.0.0.1", "255.255.255.255"],
  "reserved for the sandbox": ["198.18.0.1", "198.19.255.255"],
  Teredo: ["2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
  "discard-only": ["100::1"],
  "private (NAT64)": ["64:ff9b:1::1", "64:ff9b:1:ffff::"],
};

for (const [what, addresses] of Object.entries(BLOCKED)) {
  Deno.test(`blockedAddress() blocks what is ${what}`, () => {
    for (const address of addresses) assert.equal(blockedAddress(address), what, address);
  });
}

Deno.test("blockedAddress() lets public addresses pass, up to the edge of what is blocked", () => {
  const allowed = [
    ...["1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"],
    ...["128.0.0.0", "168.63.129.15", "168.63.129.17", "169.253.255.255", "169.255.0.0"],
    ...["172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0"],
    ...["198.17.255.255", "198.20.0.0", "223.255.255.255"],
    // Documentation networks are routed nowhere by default; closed networks use them.
    ...["192.0.2.1", "198.51.100.1", "203.0.113.0", "203.0.113.255", "2001:db8::1"],
    ...["2606:4700::1111", "2001:4860:4860::8888", "2a00:1450:4001:80b::200e", "2001:1::1"],
  ];
  for (const address of allowed) assert.equal(blockedAddress(address), undefined, address);
});

/** Every way to write an IPv4 address into an IPv6 one. */
const FORMS: Readonly<Record<string, (dotted: string, high: string, low: string) => string[]>> = {
  mapped: (dotted, high, low) => [
    `::ffff:${dotted}`,
    `::ffff:${high}:${low}`,
    `0:0:0:0:0:FFFF:${high}:${low}`,
    `::ffff:${dotted}%eth0`,
  ],
  translated: (dotted, high, low) => [`::ffff:0:${dotted}`, `::ffff:0:${high}:${low}`],
  NAT64: (dotted, high, low) => [`64:ff9b::${dotted}`, `64:ff9b::${high}:${low}`],
  "6to4": (_, high, low) => [`2002:${high}:${low}::`, `2002:${high}:${low}:1::1`],
  ISATAP: (dotted, high, low) => [
    `2606:4700::5efe:${dotted}`,
    `2606:4700::200:5efe:${high}:${low}`,
  ],
};

function forms(way: keyof typeof FORMS, parts: readonly number[]): string[] {
  const [a, b, c, d] = parts as [number, number, number, number];
  return FORMS[way]!(parts.join("."), (a * 256 + b).toString(16), (c * 256 + d).toString(16));
}

for (const way of Object.keys(FORMS)) {
  Deno.test(`blockedAddress() judges an IPv4 address that is ${way} in IPv6 by itself`, () => {
    const part = fc.nat(255);
    const special = fc.constantFrom(
      ...Object.values(BLOCKED).flat().filter((address) => /^[\d.]+$/.test(address))
        .map((address) => address.split(".").map(Number)),
    );
    fc.assert(fc.property(fc.oneof(fc.tuple(part, part, part, part), special), (parts) => {
      const itself = blockedAddress(parts.join("."));
      for (const form of forms(way, parts)) {
        assert.equal(blockedAddress(form) === undefined, itself === undefined, form);
      }
    }));
  });
}

Deno.test("blockedAddress() blocks IPv4-compatible addresses whatever they hold", () => {
  for (const address of ["::127.0.0.1", "::8.8.8.8", "::808:808", "::2"]) {
    assert.equal(blockedAddress(address), "IPv4-compatible IPv6", address);
  }
});

Deno.test("blockedAddress() blocks what is no address, or one that can be read in two ways", () => {
  const none = ["", "localhost", "api.test", "127.1", "2130706433", "0x7f.0.0.1", "0177.0.0.1"];
  const wrong = ["256.0.0.1", "1.2.3", "1.2.3.4.5", "1.2.3.4 ", ":::", "1::2::3", "1:2:3:4:5:6:7"];
  const more = ["1:2:3:4:5:6:7:8:9", "::12345", "::g", "[::1]", "::ffff:1.2.3", "::ffff:1.2.3.256"];
  for (const address of [...none, ...wrong, ...more, "1:2:3:4:5:6:7:8::"]) {
    assert.equal(blockedAddress(address), "not an IP address", address);
  }
});

Deno.test("blockedAddress() says the same of every spelling of an IPv6 address", () => {
  const groups = fc.tuple(
    ...Array.from({ length: 8 }, () => fc.oneof(fc.constant(0), fc.nat(0xffff))),
  );
  fc.assert(fc.property(groups, (groups) => {
    const full = groups.map((group) => group.toString(16).padStart(4, "0")).join(":");
    const short = new URL(`http://[${full}]/`).hostname.slice(1, -1);
    assert.equal(blockedAddress(short), blockedAddress(full), `${short} ${full}`);
    assert.equal(blockedAddress(full.toUpperCase()), blockedAddress(full));
  }));
});

Deno.test("blockedAddress() answers any text", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.ok(["string", "undefined"].includes(typeof blockedAddress(text)));
  }));
});

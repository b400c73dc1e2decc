import assert from "node:assert/strict";
import { addressBytes, unmapped } from "../../../src/sandbox/init/address.ts";
import { proxyHeader } from "../../../src/sandbox/init/proxy_header.ts";

const hex = (bytes: Iterable<number>) =>
  [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

Deno.test("proxyHeader() writes version 2 of the protocol, byte for byte", () => {
  const header = proxyHeader({
    clientPort: 0x1234,
    address: "198.18.0.1",
    port: 443,
    host: "ab.test",
    pid: 42,
    executable: "/bin/x",
    via: "transparent",
  });
  assert.equal(
    hex(header),
    "0d0a0d0a000d0a515549540a" + "21" + "11" + "0032" +
      "7f000001" + "c6120001" + "1234" + "01bb" +
      "020007" + hex(new TextEncoder().encode("ab.test")) +
      "e00002" + hex(new TextEncoder().encode("42")) +
      "e10006" + hex(new TextEncoder().encode("/bin/x")) +
      "e2000b" + hex(new TextEncoder().encode("transparent")),
  );
});

Deno.test("proxyHeader() leaves out what is not known", () => {
  const header = proxyHeader({ clientPort: 1, address: "127.0.0.1", port: 18080, via: "proxy" });
  assert.equal(hex(header.slice(28)), "e20005" + hex(new TextEncoder().encode("proxy")));
});

Deno.test("proxyHeader() writes IPv6 addresses", () => {
  const header = proxyHeader({ clientPort: 1, address: "2001:db8::7", port: 80, via: "proxy" });
  assert.equal(header[13], 0x21);
  assert.equal(hex(header.slice(16, 32)), "0".repeat(31) + "1");
  assert.equal(hex(header.slice(32, 48)), "20010db8000000000000000000000007");
});

Deno.test("proxyHeader() bounds the name of a program", () => {
  const header = proxyHeader({
    clientPort: 1,
    address: "127.0.0.1",
    port: 1,
    executable: "x".repeat(100_000),
    via: "proxy",
  });
  assert.ok(header.length < 5_000);
});

Deno.test("addressBytes() reads every form of an IPv6 address", () => {
  const forms = {
    "::": "0".repeat(32),
    "::1": "0".repeat(31) + "1",
    "fe80::": "fe80" + "0".repeat(28),
    "1:2:3:4:5:6:7:8": "00010002000300040005000600070008",
    "a::b:c": "000a" + "0".repeat(20) + "000b000c",
  };
  for (const [text, expected] of Object.entries(forms)) {
    assert.equal(hex(addressBytes(text)), expected, text);
  }
});

Deno.test("unmapped() turns IPv4-mapped addresses into IPv4 and no others", () => {
  assert.equal(unmapped("::ffff:192.0.2.1"), "192.0.2.1");
  assert.equal(unmapped("2001:db8::1"), "2001:db8::1");
  assert.equal(unmapped("192.0.2.1"), "192.0.2.1");
});

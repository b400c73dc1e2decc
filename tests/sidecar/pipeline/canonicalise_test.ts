import assert from "node:assert/strict";
import type { CallInput } from "../../../src/sidecar/gate.ts";
import { canonicalise } from "../../../src/sidecar/pipeline/canonicalise.ts";
import { call, draft } from "./support.ts";

function tunnel(connectHost: string, connectPort = 443, sni?: string): CallInput["tunnel"] {
  return { connectHost, connectPort, ...(sni !== undefined && { sni }) };
}

const ALLOWED: Record<string, Partial<CallInput>> = {
  "plain GET": {},
  "upper-case Host": { authority: "API.Code.Test" },
  "trailing dot in CONNECT": { tunnel: tunnel("api.code.test.", 443, "api.code.test") },
  "default port written out": { authority: "api.code.test:443" },
  "no SNI": { tunnel: tunnel("api.code.test") },
  "plain HTTP in a tunnel": { scheme: "http", tunnel: tunnel("api.code.test", 80) },
  "plain HTTP without a tunnel": { scheme: "http", tunnel: undefined },
  "another port everywhere": {
    authority: "api.code.test:8443",
    tunnel: tunnel("api.code.test", 8443, "api.code.test"),
  },
  "a Host header that agrees": { headers: [["host", "api.code.test"]] },
  "one Content-Length": { method: "POST", headers: [["content-length", "12"]] },
  "chunked": { method: "POST", headers: [["transfer-encoding", "chunked"]] },
  "Connection with what is of the connection": {
    headers: [["connection", "keep-alive, TE, Upgrade, HTTP2-Settings, close"], ["te", "trailers"]],
  },
  "Connection with what is not there": { headers: [["connection", "x-other"]] },
  "an override that says nothing new": { headers: [["x-http-method-override", "GET"]] },
};

const REFUSED: Record<string, Partial<CallInput>> = {
  "no Host": { authority: undefined },
  "empty Host": { authority: "" },
  "Host of another site (domain fronting)": { authority: "evil.test" },
  "SNI of another site": { tunnel: tunnel("api.code.test", 443, "evil.test") },
  "CONNECT to another site": { tunnel: tunnel("evil.test", 443, "api.code.test") },
  "everything but Host agrees on another site": {
    tunnel: tunnel("evil.test", 443, "evil.test"),
  },
  "Host on another port": { authority: "api.code.test:8443" },
  "CONNECT to another port": { tunnel: tunnel("api.code.test", 8443, "api.code.test") },
  "HTTPS port for plain HTTP": { scheme: "http", tunnel: tunnel("api.code.test", 443) },
  "two hosts in one header": { authority: "api.code.test, evil.test" },
  "user information in Host": { authority: "api.code.test@evil.test" },
  "suffix after a port": { authority: "evil.test:443.api.code.test" },
  "NUL in SNI": { tunnel: tunnel("api.code.test", 443, "api.code.test\0.evil.test") },
  "Host header unlike :authority": { headers: [["host", "evil.test"]] },
  "second Host header": { headers: [["host", "api.code.test"], ["host", "evil.test"]] },
  "both framings (request smuggling)": {
    method: "POST",
    headers: [["content-length", "4"], ["transfer-encoding", "chunked"]],
  },
  "Content-Length twice": {
    method: "POST",
    headers: [["content-length", "4"], ["content-length", "5"]],
  },
  "Content-Length as a list": { method: "POST", headers: [["content-length", "4, 4"]] },
  "negative Content-Length": { method: "POST", headers: [["content-length", "-1"]] },
  "Connection that would keep from the server what was decided by": {
    method: "POST",
    headers: [["connection", "close, Content-Type"], ["content-type", "application/json"]],
  },
  "Connection that would keep from the server what was approved": {
    headers: [["connection", "stripe-account"], ["stripe-account", "acct_small"]],
  },
  "Connection twice": {
    headers: [["connection", "close"], ["if-match", '"a"'], ["connection", "if-match"]],
  },
  "method override header": { headers: [["x-http-method-override", "DELETE"]] },
  "method override with an underscore": { headers: [["x_http_method_override", "DELETE"]] },
  "method override parameter": { target: "/repos/a/b?_method=DELETE" },
  "method override parameter, encoded": { target: "/repos/a/b?%5fmethod=DELETE" },
  "path override header": { headers: [["x-original-url", "/admin"]] },
  "dot segments": { target: "/repos/../admin" },
  "encoded dot segments": { target: "/repos/%2e%2e/admin" },
  "backslash": { target: "/repos\\..\\admin" },
  "empty segment": { target: "/repos//admin" },
  "NUL in the path": { target: "/repos/%00" },
  "broken percent-encoding": { target: "/repos/%zz" },
  "absolute form": { target: "https://evil.test/repos/a/b" },
  "asterisk form": { target: "*" },
  "CONNECT inside": { method: "CONNECT" },
  "unknown method": { method: "PROPFIND" },
  "method in lower case": { method: "get" },
  "method with a space": { method: "GET /evil" },
};

for (const [name, changes] of Object.entries(ALLOWED)) {
  Deno.test(`canonicalise() accepts ${name}`, () => {
    const subject = draft({ input: call(changes) });
    assert.equal(canonicalise()(subject), undefined);
    assert.equal(subject.call?.host, "api.code.test");
  });
}

for (const [name, changes] of Object.entries(REFUSED)) {
  Deno.test(`canonicalise() refuses ${name}`, () => {
    const subject = draft({ input: call(changes) });
    const denial = canonicalise()(subject);
    assert.ok(denial !== undefined && !(denial instanceof Promise), name);
    assert.equal(denial.reason, "MalformedRequest");
    assert.equal(subject.call, undefined);
  });
}

Deno.test("canonicalise() yields what is sent upstream", () => {
  const subject = draft({
    input: call({ authority: "API.code.test:443", target: "/repos/%61cme/x%2fy?q=%20" }),
  });
  canonicalise()(subject);
  assert.deepEqual(subject.call && { ...subject.call, query: "" }, {
    method: "GET",
    scheme: "https",
    host: "api.code.test",
    port: 443,
    path: "/repos/acme/x%2Fy",
    query: "",
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { DECODERS } from "../../../src/mapping/decoders/decoders.ts";
import type { Headers } from "../../../src/mapping/decoders/decoder.ts";
import { gitLfsBatch } from "../../../src/mapping/decoders/git_lfs.ts";
import { gitRead } from "../../../src/mapping/decoders/git_read.ts";
import { grpc } from "../../../src/mapping/decoders/grpc.ts";
import { parseMediaType } from "../../../src/mapping/decoders/media_type.ts";
import { actionClass, classes, decoded, input, MALFORMED, type Sketch } from "./support.ts";
import { raised, strictest } from "../../../src/mapping/decoders/strictness.ts";
import { takesAtMost } from "../../fixtures/pace.ts";

const REPOSITORY = { git_provider: "github", git_owner: "acme", git_repo: "rocket" };

Deno.test("gitRead() tells policies which repository is read", () => {
  for (
    const [method, path] of [
      ["GET", "/Acme/Rocket.git/info/refs?service=git-upload-pack"],
      ["POST", "/acme/rocket/git-upload-pack"],
      ["GET", "/acme/rocket/info/lfs/locks"],
    ] as const
  ) {
    assert.deepEqual(decoded(gitRead, { method, url: `https://github.com${path}` }), [
      ["code.read", { ...REPOSITORY, git_operation: "read" }],
    ]);
  }
  assert.equal(classes(gitRead, { url: "https://github.com/acme/rocket" }), MALFORMED);
});

function lfs(body: string, type = "application/vnd.git-lfs+json; charset=utf-8"): Sketch {
  return {
    url: "https://github.com/acme/rocket.git/info/lfs/objects/batch",
    headers: [["content-type", type]],
    body,
  };
}

Deno.test("gitLfsBatch() tells a download from an upload", () => {
  assert.deepEqual(decoded(gitLfsBatch, lfs('{"operation":"download"}')), [
    ["code.read", { ...REPOSITORY, git_operation: "read" }],
  ]);
  assert.deepEqual(decoded(gitLfsBatch, lfs('{"operation":"upload"}')), [
    ["code.write", { ...REPOSITORY, git_operation: "update" }],
  ]);
  const twice = '{"operation":"download","Operation":"upload"}';
  for (const body of ["", "{}", "[]", '{"operation":"Upload"}', twice]) {
    assert.equal(classes(gitLfsBatch, lfs(body)), MALFORMED, body);
  }
  assert.equal(classes(gitLfsBatch, lfs('{"operation":"download"}', "text/plain")), MALFORMED);
});

Deno.test("grpc() tells policies service and method", () => {
  const call = (path: string, type = "application/grpc+proto"): Sketch => ({
    url: `https://rpc.test${path}`,
    headers: [["content-type", type]],
  });
  assert.deepEqual(decoded(grpc, call("/acme.v1.Rockets/Launch")), [
    ["code.read", { grpc_service: "acme.v1.Rockets", grpc_method: "Launch" }],
  ]);
  assert.equal(classes(grpc, call("/acme.v1.Rockets/Launch", "application/json")), MALFORMED);
  assert.equal(classes(grpc, call("/Launch")), MALFORMED);
  assert.equal(classes(grpc, call("/a/b/c")), MALFORMED);
});

Deno.test("strictest() prefers what is riskier, then what cannot be taken back", () => {
  const among = (...names: [string, ...string[]]) => {
    const [first, ...rest] = names.map((name) => ({
      actionClass: actionClass(name),
      attributes: {},
    }));
    return strictest([first!, ...rest]).actionClass;
  };
  assert.equal(among("code.read", "issue.write"), "issue.write");
  assert.equal(among("code.write", "code.destructive", "code.write"), "code.destructive");
  assert.equal(among("code.destructive", "code.merge"), "code.merge");
});

Deno.test("raised() makes a class finer or stricter, never more harmless", () => {
  const from = (base: string, to: string) => raised(actionClass(base), actionClass(to));
  assert.equal(from("code.read", "code.write"), "code.write");
  assert.equal(from("communication.external.send", "model.inference"), "model.inference");
  assert.equal(from("code.write", "code.destructive"), "code.destructive");
  assert.equal(from("code.write", "code.read"), "code.write");
  assert.equal(from("repo.admin", "repo.lifecycle"), "repo.admin");
});

Deno.test("parseMediaType() reads types and parameters, and refuses what is ambiguous", () => {
  const read = (text: string) => {
    const result = parseMediaType(text);
    return result.ok ? [result.value.type, Object.fromEntries(result.value.parameters)] : "refused";
  };
  assert.deepEqual(read('Multipart/Mixed; Boundary="a b"; charset=UTF-8'), [
    "multipart/mixed",
    { boundary: "a b", charset: "UTF-8" },
  ]);
  assert.deepEqual(read("text/plain;"), ["text/plain", {}]);
  for (const text of ["", "text", "a/b; x=1; X=2", "a/b x", "a/b; x", 'a/b; x="1', "a/b, c/d"]) {
    assert.equal(read(text), "refused", text);
  }
});

Deno.test("no decoder throws or takes long, whatever it is given", () => {
  const types = [
    "application/json",
    "application/x-www-form-urlencoded",
    "application/x-git-receive-pack-request",
    "application/grpc",
    "multipart/mixed; boundary=b",
    "message/rfc822",
    "nonsense",
  ];
  const paths = [
    "/",
    "/a/b.git/git-receive-pack",
    "/a/b/info/lfs/objects/batch",
    "/repos/a/b/git/refs/heads/x",
    "/gmail/v1/users/me/messages/send",
    "/batch",
    "/v1/charges?amount=1",
    "/v2/core/batch_jobs",
    "/%C3%A4/b/info/refs",
  ];
  const sketch = fc.record({
    method: fc.constantFrom("GET", "POST", "PATCH", "DELETE"),
    url: fc.constantFrom(...paths).map((path) => `https://api.test${path}`),
    headers: fc.array(
      fc.tuple(
        fc.constantFrom("content-type", "authorization", "mcp-method"),
        fc.constantFrom(...types),
      ),
      { maxLength: 2 },
    ).map((list) => list as Headers),
    body: fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map((text) => new TextEncoder().encode(text)),
    ),
    whole: fc.boolean(),
  });
  for (const [name, decoder] of DECODERS) {
    fc.assert(fc.property(sketch, (sketch) => {
      const result = decoder.decode(input(sketch));
      assert.ok(result.ok ? result.value.operations.length > 0 : result.error.message !== "", name);
    }));
  }
});

const MEGABYTE = 1 << 20;
/** Bodies of the largest size that is read, each the worst that was thought of. */
const WORST: Record<string, readonly [type: string, path: string, body: () => string]> = {
  "github-graphql": [
    "application/json",
    "/graphql",
    () => `{"query":"${"{a".repeat(2 * MEGABYTE)}"}`,
  ],
  "github-rest": [
    "application/json",
    "/repos/a/b/git/trees",
    () => `{"tree":[${"{},".repeat(MEGABYTE)}{}]}`,
  ],
  "gmail": ["multipart/mixed; boundary=b", "/batch", () => "--b\r\n".repeat(800_000)],
  "mcp": ["application/json", "/mcp", () => "[".repeat(4 * MEGABYTE)],
  "stripe": [
    "application/x-www-form-urlencoded",
    "/v1/charges",
    () => "a[".repeat(MEGABYTE) + "=1",
  ],
  "git-receive-pack": [
    "application/x-git-receive-pack-request",
    "/a/b/git-receive-pack",
    () => `${"0005x".repeat(800_000)}0000`,
  ],
};
for (const [name, [type, path, body]] of Object.entries(WORST)) {
  Deno.test(`the decoder ${name} is done with the worst body in bounded time`, async () => {
    const sketch = {
      url: `https://api.test${path}`,
      headers: [["content-type", type]] as const,
      body: body(),
    };
    const prepared = input(sketch);
    await takesAtMost(
      1_500,
      () => assert.equal(DECODERS.get(name)!.decode(prepared).ok, false),
    );
  });
}

Deno.test("docs/decoders.md describes every decoder", () => {
  const text = Deno.readTextFileSync(new URL("../../../docs/decoders.md", import.meta.url));
  for (const name of DECODERS.keys()) assert.ok(text.includes(`| \`${name}\``), name);
});

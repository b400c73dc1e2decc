import assert from "node:assert/strict";
import fc from "fast-check";
import { githubRepository } from "../../../src/mapping/decoders/github_repository.ts";
import { githubRest } from "../../../src/mapping/decoders/github_rest.ts";
import { classes, decoded, input, MALFORMED, type Sketch } from "./support.ts";

const REPOSITORY = { git_provider: "github", git_owner: "acme", git_repo: "rocket" };

function call(
  method: string,
  path: string,
  body: unknown = "",
  actionClass = "code.write",
): Sketch {
  return {
    method,
    url: `https://api.github.com${path}`,
    headers: [["content-type", "application/json"]],
    body: typeof body === "string" ? body : JSON.stringify(body),
    actionClass,
  };
}

function only(sketch: Sketch): unknown {
  const found = decoded(githubRest, sketch);
  return typeof found === "string" || found.length > 1 ? found : found[0];
}

Deno.test("githubRepository() names the repository in one way however it is spelt", () => {
  for (
    const path of ["/repos/Acme/Rocket/issues/1", "/repos/acme/rocket.git", "/repos/ACME/ROCKET/"]
  ) {
    assert.deepEqual(decoded(githubRepository, call("GET", path)), [["code.write", REPOSITORY]]);
  }
  assert.deepEqual(decoded(githubRepository, call("GET", "/user")), [["code.write", {}]]);
  const server = { ...call("GET", ""), url: "https://code.test/api/v3/repos/Acme/Rocket/issues" };
  const there = { ...REPOSITORY, git_provider: "code.test" };
  assert.deepEqual(decoded(githubRepository, server), [["code.write", there]]);
});

Deno.test("githubRest() tells changes of a ref apart", () => {
  const main = { ...REPOSITORY, git_ref: "refs/heads/main", git_ref_type: "branch" };
  const refs = "/repos/acme/rocket/git/refs";
  const move = (body: unknown) => only(call("PATCH", `${refs}/heads/main`, body));
  const update = { ...main, git_operation: "update" };
  assert.deepEqual(move({ sha: "1" }), ["code.write", { ...update, git_forced: false }]);
  assert.deepEqual(move({ force: false }), ["code.write", { ...update, git_forced: false }]);
  for (const force of [true, "true", 1]) {
    assert.deepEqual(move({ force }), ["code.destructive", { ...update, git_forced: true }]);
  }
  assert.deepEqual(only(call("DELETE", `${refs}/heads/main`)), [
    "code.destructive",
    { ...main, git_operation: "delete", git_forced: true },
  ]);
  assert.deepEqual(only(call("POST", refs, { ref: "refs/heads/main", sha: "1" })), [
    "code.write",
    { ...main, git_operation: "create", git_forced: false },
  ]);
});

Deno.test("githubRest() refuses a write whose query says what its body decides by", () => {
  const refs = "/repos/acme/rocket/git/refs/heads/main";
  const file = "/repos/acme/rocket/contents/x";
  const refused = [
    call("PATCH", `${refs}?force=true`, { sha: "1" }),
    call("PATCH", `${refs}?force[]=1`, { sha: "1", force: false }),
    call("PATCH", `${refs}?x=%ff`, { sha: "1" }),
    call("PUT", `${file}?branch=main`, { branch: "next" }),
    call("PATCH", "/repos/acme/rocket?private=false", { description: "x" }),
  ];
  for (const sketch of refused) assert.equal(classes(githubRest, sketch), MALFORMED, sketch.url);
  for (const path of [`${file}?branch=next`, `${file}?page=2`]) {
    assert.deepEqual(classes(githubRest, call("DELETE", path)), ["code.write"]);
  }
  assert.deepEqual(classes(githubRest, call("GET", `${file}?ref=main`)), ["code.write"]);
});

Deno.test("githubRest() reads JSON under the type that curl gives it, as GitHub does", () => {
  const path = "/repos/acme/rocket/git/refs/heads/main";
  const sketch = call("PATCH", path, { force: true });
  const form = [["content-type", "application/x-www-form-urlencoded"]] as const;
  assert.deepEqual(classes(githubRest, { ...sketch, headers: form }), ["code.destructive"]);
  assert.deepEqual(classes(githubRest, { ...sketch, headers: [] }), ["code.destructive"]);
  assert.equal(classes(githubRest, { ...sketch, body: "force=true", headers: form }), MALFORMED);
  const utf16 = [["content-type", "application/json; charset=utf-16"]] as const;
  assert.equal(classes(githubRest, { ...sketch, headers: utf16 }), MALFORMED);
  assert.equal(classes(githubRest, { ...sketch, body: '{"force":false,"force":true}' }), MALFORMED);
});

Deno.test("githubRest() sees files that decide what GitHub runs", () => {
  const write = (path: string) =>
    classes(githubRest, call("PUT", `/repos/acme/rocket/contents/${path}`, { branch: "main" }));
  assert.deepEqual(write("src/main.ts"), ["code.write"]);
  for (const path of [".github/workflows/ci.yml", ".github%2Fworkflows%2Fci.yml", "CODEOWNERS"]) {
    assert.equal(write(path).length, 2, path);
  }
  const tree = { tree: [{ path: "a" }, { path: ".github/workflows/ci.yml" }] };
  assert.equal(classes(githubRest, call("POST", "/repos/a/b/git/trees", tree)).length, 2);
});

Deno.test("githubRest() tells policies the branch that a commit goes to", () => {
  const branch = (method: string, path: string, body: unknown) =>
    (only(call(method, `/repos/a/b/${path}`, body)) as [string, Record<string, unknown>])[1]
      .git_ref;
  assert.equal(branch("PUT", "contents/x", { branch: "main" }), "refs/heads/main");
  assert.equal(branch("DELETE", "contents/x?branch=next", ""), "refs/heads/next");
  assert.equal(branch("POST", "merges", { base: "main", head: "x" }), "refs/heads/main");
  assert.equal(branch("PUT", "contents/x", {}), undefined);
});

Deno.test("githubRest() tells settings of a repository from changes of what it is", () => {
  const patch = (body: unknown) =>
    classes(githubRest, call("PATCH", "/repos/a/b", body, "repo.admin"));
  assert.deepEqual(patch({ has_wiki: false }), ["repo.admin"]);
  assert.deepEqual(patch({ archived: true }), ["repo.admin", "repo.lifecycle"]);
});

Deno.test("githubRest() tells policies what becomes public, and who approves", () => {
  const attribute = (name: string, sketch: Sketch) => {
    const [found] = decoded(githubRest, sketch) as [string, Record<string, unknown>][];
    return found![1][name];
  };
  const publishes = (path: string, body: unknown, method = "POST") =>
    attribute("publishes", call(method, path, body));
  assert.equal(publishes("/user/repos", { name: "x" }), true);
  assert.equal(publishes("/user/repos", { name: "x", private: true }), false);
  assert.equal(publishes("/gists", { files: {} }), false);
  assert.equal(publishes("/gists", { files: {}, public: true }), true);
  assert.equal(publishes("/repos/a/b", { visibility: "public" }, "PATCH"), true);
  assert.equal(publishes("/repos/a/b", { private: false }, "PATCH"), true);
  assert.equal(publishes("/repos/a/b", { has_wiki: true }, "PATCH"), false);
  const review = (body: unknown) =>
    attribute("review_event", call("POST", "/repos/a/b/pulls/1/reviews", body));
  assert.equal(review({ event: "APPROVE" }), "APPROVE");
  assert.equal(review({}), "PENDING");
});

Deno.test("githubRest() never throws, whatever the body", () => {
  const paths = ["/repos/a/b", "/repos/a/b/git/refs", "/repos/a/b/git/trees", "/gists"];
  fc.assert(fc.property(fc.constantFrom(...paths), fc.jsonValue(), (path, body) => {
    githubRest.decode(input(call("POST", path, JSON.stringify(body))));
  }));
  fc.assert(fc.property(fc.uint8Array(), (body) => {
    githubRest.decode(input({ ...call("PATCH", "/repos/a/b"), body }));
  }));
});

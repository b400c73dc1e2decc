import assert from "node:assert/strict";
import fc from "fast-check";
import table from "../../../packs/tables/github_graphql.json" with { type: "json" };
import { parseActionClass } from "../../../src/core/action_class.ts";
import { githubGraphql } from "../../../src/mapping/decoders/github_graphql.ts";
import { classes, decoded, input, MALFORMED, type Sketch, UNCLASSIFIED } from "./support.ts";
import { takesAtMost } from "../../fixtures/pace.ts";

const JSON_TYPE = [["content-type", "application/json; charset=utf-8"]] as const;

function request(body: unknown, changes: Partial<Sketch> = {}): Sketch {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return { url: "https://api.github.com/graphql", headers: JSON_TYPE, body: text, ...changes };
}

const of = (query: string, more: Record<string, unknown> = {}) =>
  classes(githubGraphql, request({ query, ...more }));

Deno.test("the table of GitHub's mutations names registered classes only", () => {
  assert.equal(Object.keys(table.classes).length, 247);
  for (const text of Object.values(table.classes)) {
    assert.ok(parseActionClass(text.split(" ")[0]!), text);
  }
});

Deno.test("githubGraphql() gives every published mutation the class of the table", () => {
  for (const [name, text] of Object.entries(table.classes)) {
    const [expected, finer] = text.split(" ");
    const found = of(`mutation { ${name}(input: {}) { clientMutationId } }`);
    assert.ok([expected, finer].includes(found[0]), `${name}: ${found}`);
  }
});

const READS: Record<string, string> = {
  "a short query": "{ viewer { login } }",
  "a named query": "query Q($n: Int = 3) { viewer { repositories(first: $n) { totalCount } } }",
  "a query whose alias is a mutation": "query { deleteRef: viewer { login } }",
  "a query whose argument is one": '{ search(query: "mutation { deleteRef }", type: REPOSITORY) }',
  "a query with a comment": "# mutation { deleteRef }\n{ viewer { login } }",
  "a query with a block string": '{ f(x: """ \\""" } mutation { deleteRef """) }',
  "a query with a fragment": "query { ...F } fragment F on Query { viewer { login } }",
};
for (const [what, query] of Object.entries(READS)) {
  Deno.test(`githubGraphql() takes ${what} for reading`, () => {
    assert.deepEqual(of(query), ["code.read"]);
  });
}

const DELETES: Record<string, string> = {
  "plain": "mutation { deleteRef(input: {refId: 1}) { clientMutationId } }",
  "by alias": "mutation { viewer: deleteRef(input: {refId: 1}) { clientMutationId } }",
  "in a fragment": "mutation { ...F } fragment F on Mutation { deleteRef(input: {}) { x } }",
  "in a fragment of a fragment":
    "mutation { ...A } fragment A on Mutation { ...B } fragment B on Mutation { deleteRef }",
  "in an inline fragment": "mutation { ... on Mutation { ... @include(if: true) { deleteRef } } }",
  "that may be skipped": "mutation { deleteRef(input: {}) @skip(if: true) { x } }",
  "behind a comma and a comment": "mutation,{,#}\n,deleteRef,}",
  "behind a carriage return": "mutation{#}\rdeleteRef}",
  "with a byte order mark": "\ufeffmutation { deleteRef }",
};
for (const [what, query] of Object.entries(DELETES)) {
  Deno.test(`githubGraphql() finds a deletion ${what}`, () => {
    assert.deepEqual(of(query), ["code.destructive"]);
  });
}

Deno.test("githubGraphql() counts everything that a body can do", () => {
  assert.deepEqual(of("mutation { addStar(input: {}) { x } deleteRef(input: {}) { x } }"), [
    "social.write",
    "code.destructive",
  ]);
  const two = "query Q { viewer { login } } mutation M { mergePullRequest(input: {}) { x } }";
  assert.deepEqual(of(two, { operationName: "Q" }), ["code.read", "code.merge"]);
  const batch = [{ query: "{ viewer { login } }" }, { query: "mutation { deleteRef }" }];
  assert.deepEqual(classes(githubGraphql, request(batch)), ["code.read", "code.destructive"]);
});

Deno.test("githubGraphql() takes a forced change of a ref for the loss of commits", () => {
  const update =
    "mutation M($f: Boolean) { updateRef(input: {refId: 1, oid: 2, force: $f}) { x } }";
  assert.deepEqual(of(update, { variables: { f: false } }), ["code.write"]);
  assert.deepEqual(of(update, { variables: { f: true } }), ["code.destructive"]);
  assert.deepEqual(of(update.replace("Boolean", "Boolean = true")), ["code.destructive"]);
  const input = "mutation M($i: UpdateRefInput!) { updateRef(input: $i) { x } }";
  assert.deepEqual(of(input, { variables: { i: { force: true } } }), ["code.destructive"]);
  assert.deepEqual(of(input, { variables: { i: { force: false } } }), ["code.write"]);
  const several = 'mutation { updateRefs(input: {refUpdates: [{afterOid: "000"}]}) { x } }';
  assert.deepEqual(of(several), ["code.destructive"]);
});

Deno.test("githubGraphql() sees a commit that changes what the code host runs", () => {
  const commit = (path: string) =>
    of("mutation M($i: I!) { createCommitOnBranch(input: $i) { x } }", {
      variables: {
        i: {
          branch: { repositoryNameWithOwner: "Acme/Rocket", branchName: "main" },
          fileChanges: { additions: [{ path, contents: "" }] },
        },
      },
    });
  assert.deepEqual(commit("src/main.ts"), ["code.write"]);
  const [first, second] = commit(".github/workflows/ci.yml");
  assert.equal(first, "code.write");
  assert.ok(["repo.admin", "ci.config"].includes(second!));
});

Deno.test("githubGraphql() tells policies what is asked for", () => {
  const query = "mutation M { a: addStar(input: {}) { x } }";
  assert.deepEqual(decoded(githubGraphql, request({ query })), [["social.write", {
    git_provider: "github",
    graphql_operation_type: "mutation",
    graphql_operation_name: "M",
    graphql_root_fields: ["addStar"],
  }]]);
});

const UNKNOWN: Record<string, unknown> = {
  "a mutation that nobody published": { query: "mutation { eraseEverything }" },
  "a subscription": { query: "subscription { changes }" },
  "a persisted query": { extensions: { persistedQuery: { sha256Hash: "0" } } },
  "a persisted query beside another": {
    query: "{ viewer { login } }",
    extensions: { persistedQuery: { sha256Hash: "0" } },
  },
  "a key that is not known": { query: "{ viewer { login } }", documentId: "1" },
};
for (const [what, body] of Object.entries(UNKNOWN)) {
  Deno.test(`githubGraphql() does not classify ${what}`, () => {
    assert.equal(classes(githubGraphql, request(body)), UNCLASSIFIED);
  });
}

const REFUSED: Record<string, Sketch> = {
  "no JSON": request("{"),
  "a key twice": request('{"query":"{ a }","query":"mutation { deleteRef }"}'),
  "a key twice by escape": request('{"query":"{ a }","\\u0071uery":"mutation { deleteRef }"}'),
  "an empty array": request([]),
  "a document in the query string": request({ query: "{ a }" }, {
    url: "https://api.github.com/graphql?query=mutation",
  }),
  "a form": request("query=x", {
    headers: [["content-type", "application/x-www-form-urlencoded"]],
  }),
  "another charset": request({ query: "{ a }" }, {
    headers: [["content-type", "application/json; charset=utf-16"]],
  }),
  "two operations without a name": request({ query: "{ a } mutation { deleteRef }" }),
  "two operations and no choice": request({ query: "query A { a } mutation B { deleteRef }" }),
  "an operation that is not there": request({ query: "query A { a }", operationName: "B" }),
  "a fragment that contains itself": request({
    query: "{ ...F } fragment F on Query { ...F }",
  }),
  "a fragment that is not there": request({ query: "{ ...F }" }),
  "a document that does not end": request({ query: "mutation { deleteRef" }),
  "a text that does not end": request({ query: '{ a(b: "c) }' }),
  "a schema": request({ query: "type Query { a: Int }" }),
  "an empty selection": request({ query: "{ }" }),
  "a nest too deep": request({ query: "{a".repeat(200) + "}".repeat(200) }),
};
for (const [what, sketch] of Object.entries(REFUSED)) {
  Deno.test(`githubGraphql() refuses ${what}`, () => {
    assert.equal(classes(githubGraphql, sketch), MALFORMED);
  });
}

Deno.test("githubGraphql() never throws and is quick, whatever the document", () => {
  const word = fc.constantFrom(
    ...'{ } ( ) [ ] ! $ : = @ ... on mutation query fragment deleteRef a " """ \\ # , \n 1 -'
      .split(" "),
  );
  const document = fc.array(word, { maxLength: 200 }).map((words) => words.join(" "));
  fc.assert(
    fc.property(fc.oneof(document, fc.string()), (query) => {
      const result = githubGraphql.decode(input(request({ query })));
      assert.ok(result.ok || [MALFORMED, UNCLASSIFIED].includes(result.error.code));
    }),
    { numRuns: 500 },
  );
  fc.assert(fc.property(fc.uint8Array(), (body) => {
    githubGraphql.decode(input({ ...request(""), body }));
  }));
});

Deno.test("githubGraphql() is quick where fragments multiply", async () => {
  const fragments = Array.from(
    { length: 60 },
    (_, i) => `fragment F${i} on Query { ...F${i + 1} ...F${i + 1} ...F${i + 1} }`,
  );
  const query = `{ ...F0 } ${fragments.join(" ")} fragment F60 on Query { a }`;
  await takesAtMost(
    1_000,
    () => assert.equal(classes(githubGraphql, request({ query })), MALFORMED),
  );
});

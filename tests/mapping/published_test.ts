import assert from "node:assert/strict";
import {
  GOLDEN,
  goldenLines,
  publishedMutations,
  publishedOperations,
} from "./published/golden.ts";
import {
  githubOperations,
  gmailOperations,
  graphqlFields,
  stripeOperations,
} from "./published/operations.ts";

const published = publishedOperations();
const mutations = publishedMutations();

Deno.test("the pinned packages publish as many operations as were counted", () => {
  const counts = Object.entries(published).map((
    [name, list],
  ) => [name, list.length]);
  assert.deepEqual(Object.fromEntries(counts), {
    github: 1223,
    gmail: 85,
    stripe: 650,
  });
  assert.equal(mutations.length, 247);
});

Deno.test("the packs give every operation of the pinned packages the class that was reviewed", () => {
  const actual = goldenLines(Object.values(published).flat(), mutations);
  const golden = Deno.readTextFileSync(GOLDEN).trimEnd().split("\n");
  const known = new Set(golden);
  const added = actual.filter((line) => !known.has(line));
  const now = new Set(actual);
  const gone = golden.filter((line) => !now.has(line));
  assert.deepEqual(
    { added, gone },
    { added: [], gone: [] },
    "review, then run golden.ts",
  );
});

Deno.test("the packs leave no operation of the pinned packages without a class", () => {
  const golden = Deno.readTextFileSync(GOLDEN).trimEnd().split("\n");
  assert.deepEqual(
    golden.filter((line) => !/\t[a-z]+(?:\.[a-z_]+)+$/.test(line)),
    [],
  );
});

Deno.test("githubOperations() reads the methods of each path", () => {
  const types = [
    "export interface paths {",
    '  "/a/{b}": {',
    "    /** get: nothing */",
    '    get: operations["a/get"];',
    '    delete: operations["a/delete"];',
    "  };",
    "}",
    "export interface operations {",
    '    get: operations["not/this"];',
    "}",
  ].join("\n");
  assert.deepEqual(githubOperations(types), [
    "GET api.github.com/a/{b}",
    "DELETE api.github.com/a/{b}",
  ]);
});

Deno.test("graphqlFields() reads the fields of one type, not their arguments", () => {
  const schema =
    "type Other {\n  no: Int\n}\n\ntype Mutation {\n  one(\n    input: X!\n  ): Y\n  two: Z\n}\n";
  assert.deepEqual(graphqlFields(schema, "Mutation"), ["one", "two"]);
});

Deno.test("gmailOperations() reads uploads too", () => {
  const client = `
    const rootUrl = options.rootUrl || 'https://gmail.googleapis.com/';
      url: (rootUrl + '/gmail/v1/a').replace(), method: 'GET',
    const rootUrl = options.rootUrl || 'https://gmail.googleapis.com/';
      url: (rootUrl + '/gmail/v1/b').replace(), method: 'POST',
      mediaUrl: (rootUrl +
        '/upload/gmail/v1/b').replace()`;
  assert.deepEqual(gmailOperations(client), [
    "GET gmail.googleapis.com/gmail/v1/a",
    "POST gmail.googleapis.com/gmail/v1/b",
    "POST gmail.googleapis.com/upload/gmail/v1/b",
  ]);
});

Deno.test("stripeOperations() reads templates and hosts", () => {
  const resource = `
    a() {
        return this._makeRequest('GET', '/v1/a', params);
    }
    b(id) {
        return this._makeRequest('POST', \`/v1/b/\${encodeURIComponent(id)}/c\`, params, {
            apiBase: 'files',
        });
    }`;
  assert.deepEqual(stripeOperations(resource), [
    "GET api.stripe.com/v1/a",
    "POST files.stripe.com/v1/b/{id}/c",
  ]);
});

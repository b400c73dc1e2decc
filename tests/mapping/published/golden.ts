/**
 * The class of every operation of the pinned packages.
 *
 *   deno run -A tests/mapping/published/golden.ts     writes the file that the test compares with
 */
import { MappingTable } from "../../../src/mapping/table.ts";
import { githubGraphql } from "../../../src/mapping/decoders/github_graphql.ts";
import { classes } from "../decoders/support.ts";
import { classOf, must } from "../support.ts";
import {
  githubOperations,
  gmailOperations,
  graphqlFields,
  type PublishedOperation,
  stripeOperations,
} from "./operations.ts";
import { packageDirectory } from "./packages.ts";

export const GOLDEN = new URL("../data/published.tsv", import.meta.url);

const PACKS = new URL("../../../packs/mappings/", import.meta.url);

function sources(directory: string): string[] {
  return [...Deno.readDirSync(directory)].flatMap(({ name, isDirectory }) => {
    const path = `${directory}/${name}`;
    if (isDirectory) return sources(path);
    return name.endsWith(".js") ? [Deno.readTextFileSync(path)] : [];
  });
}

/** The REST operations that the packages publish, by service, each once. */
export function publishedOperations(): Readonly<
  Record<string, readonly PublishedOperation[]>
> {
  const github = `${packageDirectory("@octokit/openapi-types")}/types.d.ts`;
  const gmail = `${packageDirectory("@googleapis/gmail")}/build/v1.js`;
  const stripe = `${packageDirectory("stripe")}/cjs/resources`;
  return {
    github: [...new Set(githubOperations(Deno.readTextFileSync(github)))],
    gmail: [...new Set(gmailOperations(Deno.readTextFileSync(gmail)))],
    stripe: [...new Set(sources(stripe).flatMap(stripeOperations))],
  };
}

/** The mutations of GitHub's GraphQL schema. */
export function publishedMutations(): string[] {
  const schema = `${packageDirectory("@octokit/graphql-schema")}/schema.graphql`;
  return graphqlFields(Deno.readTextFileSync(schema), "Mutation");
}

/** `<method>\t<host and path>\t<class>`, sorted; the class is `-` where the packs have none. */
export function goldenLines(
  operations: readonly PublishedOperation[],
  mutations: readonly string[],
): string[] {
  const packs = must(MappingTable.parse(
    [...Deno.readDirSync(PACKS)].map(({ name }) => ({
      file: name,
      text: Deno.readTextFileSync(new URL(name, PACKS)),
    })),
  ));
  const rest = operations.map((operation) => {
    const [method, place] = operation.split(" ") as [string, string];
    const actionClass = classOf(
      packs,
      method,
      `https://${place.replaceAll(/\{[^}]+\}/g, "x")}`,
    );
    return `${method}\t${place}\t${actionClass}`;
  });
  const graphql = mutations.map((name) => {
    const found = classes(githubGraphql, {
      url: "https://api.github.com/graphql",
      headers: [["content-type", "application/json"]],
      body: JSON.stringify({
        query: `mutation { ${name}(input: {}) { clientMutationId } }`,
      }),
    });
    return `MUTATION\tapi.github.com/graphql#${name}\t${found}`;
  });
  return [...rest, ...graphql].sort();
}

if (import.meta.main) {
  const lines = goldenLines(
    Object.values(publishedOperations()).flat(),
    publishedMutations(),
  );
  Deno.writeTextFileSync(GOLDEN, `${lines.join("\n")}\n`);
}

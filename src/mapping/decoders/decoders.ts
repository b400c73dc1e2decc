import type { Decoder } from "./decoder.ts";
import { githubGraphql } from "./github_graphql.ts";
import { githubRepository } from "./github_repository.ts";
import { githubRest } from "./github_rest.ts";
import { gitlabRepository } from "./gitlab_repository.ts";
import { gmail } from "./gmail.ts";
import { gitLfsBatch } from "./git_lfs.ts";
import { gitRead } from "./git_read.ts";
import { gitReceivePack } from "./git_receive_pack.ts";
import { grpc } from "./grpc.ts";
import { mcp } from "./mcp.ts";
import { stripe } from "./stripe.ts";

/** Every decoder by the name that rules call it. */
export const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ["git-lfs-batch", gitLfsBatch],
  ["git-read", gitRead],
  ["git-receive-pack", gitReceivePack],
  ["github-graphql", githubGraphql],
  ["github-repository", githubRepository],
  ["github-rest", githubRest],
  ["gitlab-repository", gitlabRepository],
  ["gmail", gmail],
  ["grpc", grpc],
  ["mcp", mcp],
  ["stripe", stripe],
]);

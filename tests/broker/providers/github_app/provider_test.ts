import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import {
  githubApp,
  type GithubAppOptions,
} from "../../../../src/broker/providers/github_app/provider.ts";
import { needing, NEVER, testWorld } from "../../../fixtures/provider_world.ts";
import { coveredClasses } from "../../../../src/broker/providers/github_app/permissions.ts";
import { actionClassEntry } from "../../../../src/core/action_class.ts";
import { standInGithub } from "../../../fixtures/stand_in_github.ts";

const KEY = generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey;
const PKCS1 = KEY.export({ type: "pkcs1", format: "pem" }) as string;
const PKCS8 = KEY.export({ type: "pkcs8", format: "pem" }) as string;
const APP = { appId: "Iv23ctest", keyPem: PKCS1 };

function set(
  change?: (body: Record<string, unknown>) => unknown,
  options: Partial<GithubAppOptions> = {},
  pem = PKCS1,
) {
  const world = testWorld({ "/app.pem": pem });
  const github = standInGithub({ ...APP, nowMs: world.nowMs, ...(change && { change }) });
  const all = {
    appId: APP.appId,
    keyFile: "/app.pem",
    apiUrl: github.url,
    repository: undefined,
    ...options,
  };
  const provider = githubApp(all, world);
  return {
    options: all,
    world,
    github,
    provider,
    async [Symbol.asyncDispose]() {
      await github[Symbol.asyncDispose]();
      world[Symbol.dispose]();
    },
  };
}

const WEB = { host: "api.github.com", resource: "acme/web" };

const CASES: Readonly<Record<string, unknown>> = {
  "code.read": { contents: "read" },
  "code.write": { contents: "write" },
  "issue.read": { issues: "read" },
  "issue.write": { issues: "write" },
  "code.review.submit": { pull_requests: "write" },
  "ci.read": { actions: "read" },
  "ci.report": { checks: "write", statuses: "write" },
};

Deno.test("githubApp() asks for this repository and what this action class needs, and no more", async () => {
  await using at = set();
  for (const [actionClass, permissions] of Object.entries(CASES)) {
    const handOut = await at.provider.obtain(needing({ ...WEB, actionClass }), NEVER);
    assert.ok(handOut.ok, JSON.stringify(handOut));
    const repositories = ["web"];
    assert.deepEqual(at.github.minted.at(-1), { installation: 77, repositories, permissions });
    assert.equal(handOut.value.expiresAtMs, at.world.nowMs + 3_600_000);
  }
  const lookups = at.github.asked.filter(({ method }) => method === "GET");
  assert.equal(lookups.length, 1, "the installation of a repository is remembered");
});

Deno.test("githubApp() knows classes of the registry alone", () => {
  for (const name of coveredClasses()) assert.ok(actionClassEntry(name), name);
});

Deno.test("githubApp() speaks Basic to git and Bearer to the interface", async () => {
  const apiUrl = "https://api.github.com";
  await using at = set(undefined, {}, PKCS8);
  const provider = githubApp({ ...at.options, apiUrl }, {
    ...at.world,
    now: () => at.world.nowMs,
    ask: (request, signal) =>
      at.world.ask({ ...request, url: request.url.replace(apiUrl, at.github.url) }, signal),
  });
  const headers = async (host: string) => {
    const handOut = await provider.obtain(needing({ ...WEB, host }), NEVER);
    assert.ok(handOut.ok, JSON.stringify(handOut));
    return { ...handOut.value, token: `ghs_${at.github.minted.length}${"x".repeat(36)}` };
  };
  const git = await headers("github.com");
  const basic = btoa(`x-access-token:${git.token}`);
  assert.deepEqual(git.headers, [["authorization", `Basic ${basic}`]]);
  assert.deepEqual(git.secrets, [git.token, basic]);
  for (const host of ["api.github.com", "uploads.github.com"]) {
    const rest = await headers(host);
    assert.deepEqual(rest.headers, [["authorization", `Bearer ${rest.token}`]]);
  }
  const scope = (host: string) => provider.scope(needing({ ...WEB, host }));
  assert.equal(scope("api.github.com"), "acme/web contents:read");
  assert.equal(scope("github.com"), "acme/web contents:read, as a password");
});

Deno.test("githubApp() scope() shares a token between calls that need the same, and no others", async () => {
  await using at = set();
  const scope = (actionClass: string, resource = "acme/web") =>
    at.provider.scope(needing({ ...WEB, actionClass, resource }));
  const read = scope("code.read");
  assert.equal(scope("code.export", "ACME/Web.git"), read);
  const others = [scope("code.write"), scope("code.read", "acme/other"), scope("org.admin")];
  assert.equal(new Set([read, ...others]).size, 4);
});

Deno.test("githubApp() gives nothing for a call that it cannot narrow a token to", async () => {
  await using at = set();
  const refused: Readonly<Record<string, Parameters<typeof needing>[0]>> = {
    "unknown class": { actionClass: "deploy.production" },
    "class of a whole organisation": { actionClass: "org.admin" },
    "a name that objects inherit": { actionClass: "constructor" },
    "no repository": { resource: "" },
    "a repository named ..": { resource: "acme/.." },
    "an encoded name": { resource: "acme/we%2fb" },
    "a path for a name": { resource: "acme/web/../../orgs" },
    "a query for a name": { resource: "acme/web?x" },
  };
  for (const [what, part] of Object.entries(refused)) {
    const handOut = await at.provider.obtain(needing({ ...WEB, ...part }), NEVER);
    assert.ok(!handOut.ok, what);
    assert.equal(handOut.error.code, "CREDENTIAL_NOT_COVERED", what);
  }
  assert.deepEqual(at.github.asked, []);
});

Deno.test("githubApp() gives the metadata of one repository to calls that name none, where it is told which", async () => {
  await using at = set(undefined, { repository: "acme/web" });
  assert.ok(
    (await at.provider.obtain(needing({ actionClass: "code.write" }), NEVER)).ok,
  );
  // `firma credentials test` has no call.
  assert.ok((await at.provider.obtain(needing({ actionClass: "" }), NEVER)).ok);
  for (const { permissions } of at.github.minted) {
    assert.deepEqual(permissions, { metadata: "read" });
  }
  assert.equal(at.github.minted.length, 2);
});

Deno.test("githubApp() hands out no token that can do more than was asked for", async () => {
  const lies: Readonly<Record<string, (body: Record<string, unknown>) => unknown>> = {
    "write for read": (body) => ({ ...body, permissions: { contents: "write" } }),
    "one more permission": (body) => ({
      ...body,
      permissions: { contents: "read", administration: "read" },
    }),
    "metadata to write": (body) => ({ ...body, permissions: { metadata: "write" } }),
    "no permissions": ({ permissions: _, ...body }) => body,
    "all repositories": (body) => ({ ...body, repository_selection: "all" }),
    "another repository": (body) => ({ ...body, repositories: [{ full_name: "acme/other" }] }),
    "two repositories": (body) => ({
      ...body,
      repositories: [{ full_name: "acme/web" }, { full_name: "acme/other" }],
    }),
    "a token that ends the header": (body) => ({ ...body, token: "ghs_1\r\nx-admin: 1" }),
    "a token over already": (body) => ({ ...body, expires_at: "2020-01-01T00:00:00Z" }),
    "no end": (body) => ({ ...body, expires_at: "never" }),
    "a list": (body) => [body],
  };
  for (const [what, lie] of Object.entries(lies)) {
    await using at = set(lie);
    const handOut = await at.provider.obtain(needing(WEB), NEVER);
    assert.ok(!handOut.ok, what);
    assert.equal(handOut.error.code, "CREDENTIAL_ANSWER_INVALID", what);
    assert.doesNotMatch(JSON.stringify(handOut), /ghs_/, what);
  }
});

Deno.test("githubApp() says that the App is not installed, without asking for a token", async () => {
  await using at = set();
  const handOut = await at.provider.obtain(needing({ resource: "other/web" }), NEVER);
  assert.ok(!handOut.ok);
  assert.match(handOut.error.message, /the App is not installed for "other\/web"$/);
  assert.deepEqual(at.github.minted, []);
});

Deno.test("githubApp() refuses a key that is none, and repeats nothing of it", async () => {
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const pems = [
    "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0\n-----END RSA PRIVATE KEY-----\n",
    small.export({ type: "pkcs8", format: "pem" }) as string,
    ec.export({ type: "pkcs8", format: "pem" }) as string,
  ];
  for (const pem of pems) {
    await using at = set(undefined, {}, pem);
    const handOut = await at.provider.obtain(needing(WEB), NEVER);
    assert.ok(!handOut.ok);
    assert.equal(handOut.error.code, "CREDENTIAL_SECRET_UNUSABLE");
    assert.ok(!JSON.stringify(handOut).includes(pem.split("\n")[1]!));
  }
});

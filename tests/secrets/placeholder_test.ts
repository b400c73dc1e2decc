import assert from "node:assert/strict";
import { mintPlaceholders, PlaceholderBook } from "../../src/secrets/placeholder.ts";

const GITHUB = {
  label: "github",
  hosts: ["api.github.com"],
  header: "authorization",
  variables: ["GH_TOKEN", "GITHUB_TOKEN"],
};
const AWS = {
  label: "aws",
  hosts: ["s3.amazonaws.com"],
  header: "authorization",
  variables: ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"],
};

const minted = () => mintPlaceholders([GITHUB]).placeholders;

Deno.test("mintPlaceholders() makes one for each secret and shape, anew each time", () => {
  const { placeholders, environment } = mintPlaceholders([GITHUB, AWS]);
  assert.deepEqual(placeholders.map(({ label, part }) => [label, part]), [
    ["github", 0],
    ["aws", -1],
    ["aws", 0],
  ]);
  const [github, id, key] = placeholders.map(({ text }) => text);
  assert.deepEqual(environment, {
    GH_TOKEN: github,
    GITHUB_TOKEN: github,
    AWS_ACCESS_KEY_ID: id,
    AWS_SECRET_ACCESS_KEY: key,
  });
  assert.match(github!, /^ghp_/);
  assert.match(id!, /^AKIA/);
  const again = mintPlaceholders([AWS]).placeholders;
  assert.ok(!placeholders.some(({ text }) => again.some((other) => other.text === text)));
});

Deno.test("mintPlaceholders() makes one where no variable wants any, and as the operator says", () => {
  const plain = mintPlaceholders([{ ...GITHUB, variables: [] }]);
  assert.equal(plain.placeholders.length, 1);
  assert.deepEqual(plain.environment, {});
  const [jwt] = mintPlaceholders([{ ...GITHUB, shape: "jwt" }]).placeholders;
  assert.match(jwt!.text, /^eyJ/);
});

Deno.test("mintPlaceholders() makes what stands in the sign-in files of a credential's hosts", () => {
  const claude = {
    label: "claude",
    hosts: ["api.anthropic.com"],
    header: "authorization",
    variables: ["CLAUDE_CODE_OAUTH_TOKEN"],
  };
  const { signIns, environment, placeholders } = mintPlaceholders([GITHUB, claude]);
  assert.deepEqual(Object.keys(signIns), ["claude", "opencode-anthropic"]);
  const { accessToken, refreshToken } = signIns.claude!;
  assert.equal(accessToken, environment.CLAUDE_CODE_OAUTH_TOKEN);
  assert.match(refreshToken!, /^sk-ant-ort01-/);
  const partOf = (text?: string) => placeholders.find((each) => each.text === text)?.part;
  assert.equal(partOf(accessToken), 0);
  assert.equal(partOf(refreshToken), -1);
  // With an API key, what is written as a bearer token stands for nothing.
  const key = mintPlaceholders([{ ...claude, header: "x-api-key", variables: [] }]);
  const token = key.placeholders.find(({ text }) => text === key.signIns.claude!.accessToken);
  assert.equal(token?.part, -1);
});

Deno.test("PlaceholderBook knows a placeholder by its whole text and by nothing less", () => {
  const book = new PlaceholderBook();
  const [github] = minted();
  book.open("ses_a", [github!]);
  assert.deepEqual(book.get(github!.text), { ...github, sessionId: "ses_a", live: true });
  assert.equal(book.get(github!.text.slice(1)), undefined);
  assert.equal(book.get(github!.text.toLowerCase()), undefined);
  assert.equal(book.get(`${github!.text} `), undefined);
});

Deno.test("PlaceholderBook recognises what another session, or one that ended, has left behind", () => {
  const book = new PlaceholderBook();
  const [own] = minted();
  const [other] = minted();
  book.open("ses_a", [own!]);
  book.open("ses_b", [other!]);
  book.end("ses_b");
  assert.equal(book.get(other!.text)?.live, false);
  assert.deepEqual(book.of("ses_b"), []);
  assert.deepEqual(book.of("ses_a").map(({ text }) => text), [own!.text]);
});

Deno.test("PlaceholderBook remembers no more of what has ended than it has room for", () => {
  const book = new PlaceholderBook();
  const first = minted()[0]!;
  for (let i = 0; i < 4_200; i++) {
    const text = i === 0 ? first.text : `${first.text}${i}`;
    book.open(`ses_${i}`, [{ ...first, text }]);
    book.end(`ses_${i}`);
  }
  assert.equal(book.get(first.text), undefined);
  assert.equal(book.texts.length, 4_096);
});

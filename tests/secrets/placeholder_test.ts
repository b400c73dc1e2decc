import assert from "node:assert/strict";
import { mintPlaceholders, PlaceholderBook } from "../../src/secrets/placeholder.ts";

const AWS = { label: "aws", shapes: ["aws-access-key-id", "aws-secret-access-key"] } as const;

Deno.test("mintPlaceholders() makes one for each secret of each credential, anew each time", () => {
  const first = mintPlaceholders([{ label: "github", shapes: ["github"] }, AWS]);
  assert.deepEqual(first.map(({ label, part }) => [label, part]), [
    ["github", 0],
    ["aws", 0],
    ["aws", 1],
  ]);
  const second = mintPlaceholders([AWS]);
  assert.ok(!first.some(({ text }) => second.some((other) => other.text === text)));
});

Deno.test("PlaceholderBook knows a placeholder by its whole text and by nothing less", () => {
  const book = new PlaceholderBook();
  const [github] = mintPlaceholders([{ label: "github", shapes: ["github"] }]);
  book.open("ses_a", [github!]);
  assert.deepEqual(book.get(github!.text), { ...github, sessionId: "ses_a", live: true });
  assert.equal(book.get(github!.text.slice(1)), undefined);
  assert.equal(book.get(github!.text.toLowerCase()), undefined);
  assert.equal(book.get(`${github!.text} `), undefined);
});

Deno.test("PlaceholderBook recognises what another session, or one that ended, has left behind", () => {
  const book = new PlaceholderBook();
  const [own] = mintPlaceholders([{ label: "github", shapes: ["github"] }]);
  const [other] = mintPlaceholders([{ label: "github", shapes: ["github"] }]);
  book.open("ses_a", [own!]);
  book.open("ses_b", [other!]);
  book.end("ses_b");
  assert.equal(book.get(other!.text)?.live, false);
  assert.deepEqual(book.of("ses_b"), []);
  assert.deepEqual(book.of("ses_a").map(({ text }) => text), [own!.text]);
});

Deno.test("PlaceholderBook remembers no more of what has ended than it has room for", () => {
  const book = new PlaceholderBook();
  const first = mintPlaceholders([{ label: "github", shapes: ["github"] }])[0]!;
  for (let i = 0; i < 4_200; i++) {
    const text = i === 0 ? first.text : `${first.text}${i}`;
    book.open(`ses_${i}`, [{ ...first, text }]);
    book.end(`ses_${i}`);
  }
  assert.equal(book.get(first.text), undefined);
  assert.equal(book.texts.length, 4_096);
});

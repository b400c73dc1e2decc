import assert from "node:assert/strict";
import fc from "fast-check";
import { answerQuery } from "../../../src/sandbox/init/dns_message.ts";

const A = 1;

function query(name: string | readonly Uint8Array[], type = A, options: {
  readonly flags?: number;
  readonly count?: number;
  readonly class?: number;
} = {}): Uint8Array {
  const labels = typeof name === "string"
    ? name.split(".").map((label) => new TextEncoder().encode(label))
    : name;
  const header = [0xab, 0xcd, (options.flags ?? 0x0100) >> 8, (options.flags ?? 0x0100) & 0xff];
  return new Uint8Array([
    ...header,
    ...[0, options.count ?? 1, 0, 0, 0, 0, 0, 0],
    ...labels.flatMap((label) => [label.length, ...label]),
    ...[0, type >> 8, type & 0xff, 0, options.class ?? 1],
  ]);
}

function ask(message: Uint8Array) {
  const asked: string[] = [];
  const answer = answerQuery(message, (name) => {
    asked.push(name);
    return "198.18.0.9";
  });
  if (!answer) return { asked, answer };
  return {
    asked,
    answer,
    id: answer[0]! << 8 | answer[1]!,
    code: answer[3]! & 15,
    count: answer[7]!,
    address: answer[7] ? answer.slice(-4).join(".") : undefined,
  };
}

Deno.test("answerQuery() gives a name its address, whatever its case", () => {
  const { asked, id, code, address } = ask(query("API.Example.Test"));
  assert.deepEqual([asked, id, code, address], [["api.example.test"], 0xabcd, 0, "198.18.0.9"]);
});

Deno.test("answerQuery() keeps localhost on this machine", () => {
  for (const name of ["localhost", "a.localhost"]) {
    assert.equal(ask(query(name)).address, "127.0.0.1");
    assert.deepEqual(ask(query(name)).asked, []);
  }
});

Deno.test("answerQuery() has no data for other types and classes", () => {
  for (const type of [28, 16, 15, 65, 255]) {
    const { code, count, asked } = ask(query("a.test", type));
    assert.deepEqual([code, count, asked], [0, 0, []]);
  }
  assert.equal(ask(query("a.test", A, { class: 3 })).count, 0);
});

Deno.test("answerQuery() denies names that no host has", () => {
  const encode = (text: string) => new TextEncoder().encode(text);
  const names = ["", "a b.test", "a/b.test", "é.test", "a@b"];
  for (const name of names) assert.equal(ask(query(name)).code, 3, name);
  // The label "evil.com" in front of ".test" is not the host evil.com.test.
  assert.equal(ask(query([encode("evil.com"), encode("test")])).code, 3);
  assert.equal(ask(query("1.0.18.198.in-addr.arpa", 12)).code, 3);
});

Deno.test("answerQuery() ignores what is no query", () => {
  const ignored = {
    "an answer": query("a.test", A, { flags: 0x8100 }),
    "no question": query("a.test", A, { count: 0 }),
    "two questions": query("a.test", A, { count: 2 }),
    "a pointer in the name": query([new Uint8Array(0xc0 - 1)]),
    "a name of 300 bytes": query(Array.from({ length: 6 }, () => new Uint8Array(50).fill(97))),
    "nothing": new Uint8Array(0),
    "half a header": query("a.test").subarray(0, 8),
    "half a name": query("a.test").subarray(0, 15),
    "no type": query("a.test").subarray(0, -4),
  };
  for (const [name, message] of Object.entries(ignored)) {
    assert.equal(ask(message).answer, undefined, name);
  }
});

Deno.test("answerQuery() refuses other operations", () => {
  assert.equal(ask(query("a.test", A, { flags: 0x2800 })).code, 4);
});

Deno.test("answerQuery() never throws, and answers with the question that was asked", () => {
  const garbage = fc.uint8Array({ maxLength: 600 });
  const nearly = fc.tuple(fc.domain(), fc.nat(300), fc.nat(40), fc.nat(255)).map(
    ([name, type, at, value]) => {
      const message = query(name, type);
      message[at % message.length] = value;
      return message;
    },
  );
  fc.assert(fc.property(fc.oneof(garbage, nearly), (message) => {
    const { answer } = ask(message);
    if (!answer) return;
    assert.deepEqual(answer.slice(0, 2), message.slice(0, 2));
    assert.ok(answer.length <= message.length + 16);
  }));
});

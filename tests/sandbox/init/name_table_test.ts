import assert from "node:assert/strict";
import { NameTable } from "../../../src/sandbox/init/name_table.ts";

Deno.test("NameTable gives each name an address of its own and knows it again", () => {
  const table = new NameTable();
  const first = table.addressOf("one.test");
  const second = table.addressOf("two.test");
  assert.deepEqual([first, second], ["198.18.0.1", "198.18.0.2"]);
  assert.equal(table.addressOf("one.test"), first);
  assert.equal(table.nameOf(second), "two.test");
});

Deno.test("NameTable knows no name for an address that it did not give", () => {
  assert.equal(new NameTable().nameOf("198.18.0.1"), undefined);
});

Deno.test("NameTable forgets the least recently used name when it is full", () => {
  const table = new NameTable(2);
  const one = table.addressOf("one.test");
  const two = table.addressOf("two.test");
  table.addressOf("one.test");
  const three = table.addressOf("three.test");
  assert.equal(table.nameOf(two), undefined);
  assert.equal(table.nameOf(one), "one.test");
  assert.notEqual(three, two); // a program may still hold it
});

Deno.test("NameTable stays within its range and its bounds under a flood of names", () => {
  const table = new NameTable(100);
  for (let i = 0; i < 140_000; i++) {
    assert.match(table.addressOf(`n${i}.test`), /^198\.1[89]\.\d+\.\d+$/);
  }
  assert.equal(table.nameOf(table.addressOf("n139999.test")), "n139999.test");
  assert.equal(table.nameOf(table.addressOf("n1.test")), "n1.test");
});

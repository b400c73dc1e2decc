import assert from "node:assert/strict";
import { mcp } from "../../src/mapping/decoders/mcp.ts";
import { toolClass } from "../../src/mapping/tool_table.ts";
import { classes, input, UNCLASSIFIED } from "./decoders/support.ts";
import { call, faults, must, table } from "./support.ts";

function rules(tools: string, more = 'decoder = "mcp"', base = "document.read"): string {
  return `[[rules]]\nhost = "mcp.test"\naction_class = "${base}"\n${more}\n` +
    `[rules.tools]\n${tools}\n`;
}

const TOOLS = `
"*" = "document.write"
"read_*" = "document.read"
"read_*_and_drop" = "document.delete"
"delete_all" = "document.delete"
"*_all" = "document.write"
`;

function rule(tools: string) {
  const found = table(rules(tools)).match(call("POST", "https://mcp.test/"));
  assert.ok(found);
  return found;
}

Deno.test("toolClass() takes the name first, then the closest pattern", () => {
  const { tools } = rule(TOOLS);
  const expected: Record<string, string> = {
    "delete_all": "document.delete",
    "read_it": "document.read",
    "read_it_and_drop": "document.delete",
    "write_all": "document.write",
    "anything": "document.write",
  };
  for (const [tool, actionClass] of Object.entries(expected)) {
    assert.equal(toolClass(tools!, tool), actionClass, tool);
  }
});

Deno.test("toolClass() does not depend on the order of the file", () => {
  const lines = TOOLS.trim().split("\n");
  const forth = rule(lines.join("\n")).tools!;
  const back = rule(lines.toReversed().join("\n")).tools!;
  for (const tool of ["delete_all", "read_all", "read_x_and_drop", "x_all", "read_delete_all"]) {
    assert.equal(toolClass(forth, tool), toolClass(back, tool), tool);
  }
});

// Attack: a tool of a name that is nearly one of the table, or that a pattern could be fooled by.
Deno.test("mcp() does not classify a tool that the rule does not name", () => {
  const own = rule('"read_file" = "document.read"\n"list_*" = "document.read"');
  const ask = (name: string) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name } });
    const sketch = {
      url: "https://mcp.test/",
      headers: [["content-type", "application/json"]] as const,
      body,
    };
    const decoded = mcp.decode({ ...input(sketch), rule: own });
    return decoded.ok ? decoded.value.operations.map((o) => o.actionClass) : decoded.error.code;
  };
  assert.deepEqual(ask("read_file"), ["document.read"]);
  assert.deepEqual(ask("list_files"), ["document.read"]);
  for (const name of ["Read_file", "read_file ", "delete_file", "xlist_files", "__proto__"]) {
    assert.equal(ask(name), UNCLASSIFIED, name);
  }
  const list = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  const sketch = {
    url: "https://mcp.test/",
    headers: [["content-type", "application/json"]] as const,
    body: JSON.stringify(list),
  };
  assert.deepEqual(
    must(mcp.decode({ ...input(sketch), rule: own })).operations[0].actionClass,
    "document.read",
  );
  assert.deepEqual(classes(mcp, sketch), ["code.read"]);
});

const WRONG: Record<string, readonly [text: string, message: RegExp, cure?: RegExp]> = {
  "a class that is not registered": [
    rules('"a" = "document.raed"'),
    /tools: "document\.raed" is not in the registry/,
    /did you mean "document\.read"/,
  ],
  "a class more harmless than the rule's": [
    rules('"a" = "document.read"', 'decoder = "mcp"', "document.delete"),
    /"document\.read" is more harmless than the rule's "document\.delete"/,
    /most harmless call/,
  ],
  "a rule without the decoder that reads tools": [
    rules('"a" = "document.read"', ""),
    /only the decoder "mcp"/,
  ],
  "another decoder": [rules('"a" = "document.read"', 'decoder = "grpc"'), /only the decoder "mcp"/],
  "an empty table": [rules(""), /not a table, or empty/],
  "a name that no tool has": [rules('"a b" = "document.read"'), /"a b" is no name of a tool/],
  "no table": [
    '[[rules]]\nhost = "a.test"\naction_class = "document.read"\ndecoder = "mcp"\ntools = 3\n',
    /not a table/,
  ],
};
for (const [what, [text, message, cure]] of Object.entries(WRONG)) {
  Deno.test(`readTools() refuses ${what}, at its line`, () => {
    const [first] = faults(text);
    assert.match(first!.message, message);
    if (cure !== undefined) assert.match(first!.cure ?? "", cure);
    assert.ok(first!.at!.line! >= 4);
  });
}

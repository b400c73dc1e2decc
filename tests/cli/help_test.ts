import assert from "node:assert/strict";
import type { Command } from "commander";
import { COMMANDS } from "../../src/cli/main.ts";
import { overview } from "../../src/cli/quick_answer.ts";
import { buildProgram } from "../../src/cli/program.ts";
import { misunderstood, shellWords } from "../fixtures/command_line.ts";
import { allPages, type Page, pageOf } from "../../scripts/cli_docs/page.ts";

const program = await buildProgram(COMMANDS);
const pages = allPages(pageOf(program));
const built = new Set(COMMANDS.filter(({ load }) => load).map(({ name }) => name));

function each(check: (page: Page, name: string) => void): void {
  for (const page of pages) {
    const isBuilt = page.words.length === 1 || built.has(page.words[1]!);
    if (isBuilt) check(page, page.words.join(" "));
  }
}

/** Command lines, continued ones whole, without what is said of them behind three spaces. */
function commandLines({ examples }: Page): string[] {
  const lines: string[] = [];
  for (const line of examples) {
    if (lines.at(-1)?.endsWith("\\")) lines.push(`${lines.pop()!.slice(0, -1)} ${line.trim()}`);
    else if (line.startsWith("firma ")) lines.push(line); // other programs may have their part
  }
  return lines.map((line) => line.replace(/ {3,}\S.*$/, ""));
}

Deno.test("every command says what it is for, and so does every option and argument", () => {
  const silent: string[] = [];
  each(({ summary, description, options, parameters }, name) => {
    if (description.length === 0 || summary === "") silent.push(name);
    for (const { term, text } of [...options, ...parameters]) {
      if (text === "") silent.push(`${name} ${term}`);
    }
  });
  assert.deepEqual(silent, []);
});

Deno.test("every command has an example, which is one of it or of its subcommands", () => {
  const wrong: string[] = [];
  each((page, name) => {
    const lines = commandLines(page);
    if (lines.length === 0) wrong.push(`${name}: none`);
    for (const line of lines) {
      const words = shellWords(line);
      if (!page.words.every((word, index) => words[index] === word)) wrong.push(`${name}: ${line}`);
    }
  });
  assert.deepEqual(wrong, []);
});

Deno.test("every example is understood", async () => {
  const lines = pages.flatMap(commandLines);
  const wrong = await Promise.all(lines.map(misunderstood));
  assert.deepEqual(wrong.filter((fault) => fault !== undefined), []);
});

Deno.test("overview() is what the parser says of the whole", async () => {
  const unbuilt = [...COMMANDS, { name: "later", summary: "what is to come" }];
  for (const entries of [COMMANDS.filter(({ load }) => load), unbuilt]) {
    const whole = await buildProgram(entries, () => false);
    for (const colours of [false, true]) {
      let text = "";
      const write = (part: string) => {
        text += part;
      };
      whole.configureOutput({
        writeOut: write,
        getOutHelpWidth: () => 100,
        getOutHasColors: () => colours,
      });
      whole.outputHelp();
      assert.equal(overview(entries, colours), text);
    }
  }
});

Deno.test("no line of help is longer than 100 characters", () => {
  const wide: string[] = [];
  const visit = (command: Command) => {
    let text = "";
    const write = (part: string) => {
      text += part;
    };
    command.configureOutput({ writeOut: write, getOutHelpWidth: () => 100 });
    command.outputHelp();
    wide.push(...text.split("\n").filter((line) => line.length > 100));
    command.commands.forEach(visit);
  };
  visit(program);
  assert.deepEqual(wide, []);
});

/** What a newcomer would have to look up, or guess. */
const SHORTENED =
  /(?<![\w./<"-])(?:dirs?|env|params?|args|msgs?|nums?|cfg|ctx|auth|certs?|repos?|e\.g\.|i\.e\.|info|specs?)(?![\w./>"-])/;

Deno.test("help shortens no words", () => {
  const short: string[] = [];
  each(({ summary, description, notes, options, parameters }, name) => {
    const texts = [...options, ...parameters].map(({ text }) => text);
    for (const text of [summary, ...description, ...notes, ...texts]) {
      if (SHORTENED.test(text)) short.push(`${name}: ${text}`);
    }
  });
  assert.deepEqual(short, []);
});

Deno.test("what takes a value says which, and a summary is one line", () => {
  const wrong: string[] = [];
  each(({ summary, options }, name) => {
    if (summary.includes("\n") || summary.length > 80) wrong.push(`${name}: ${summary}`);
    for (const { term } of options) {
      if (/[<[](value|arg|string)[>\]]/.test(term)) wrong.push(`${name} ${term}`);
    }
  });
  assert.deepEqual(wrong, []);
});

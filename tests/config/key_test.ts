import assert from "node:assert/strict";
import { key, section, sectionMap, type ValueOf } from "../../src/config/key.ts";
import { placedKeys } from "./placed_keys.ts";
import type { FirmaError } from "../../src/core/result.ts";
import { parseToml } from "../../src/config/toml.ts";
import { BOOLEAN, DURATION, integer, oneOf } from "../../src/config/value_type.ts";

const LIMITS = section("Limits", {
  wait: key(DURATION, { about: "How long to wait", default: "1s", applies: "live" }),
  tries: key(integer(1, 5), { about: "How often to try", default: 3, applies: "live" }),
});

const ROOT = section("All", {
  limits: sectionMap("<name>", LIMITS),
  colour: key(oneOf(["red", "green", "blue"]), {
    about: "A colour",
    otherwise: "none",
    applies: "restart",
  }),
  loud: key(BOOLEAN, { about: "Whether to shout", default: false, applies: "restart" }),
});

function read(text: string): { value: ValueOf<typeof ROOT>; errors: string[] } {
  const document = parseToml(text, "/f.toml");
  assert.ok(document.ok);
  const errors: FirmaError[] = [];
  const context = { document: document.value, directory: "/", errors };
  const value = ROOT.read(document.value.root, [], context);
  return { value, errors: errors.map(({ message }) => message) };
}

Deno.test("section() and sectionMap() read what is there and fill in what is not", () => {
  const { value, errors } = read('[limits.a]\nwait = "2s"\n[limits.b-2]\ntries = 5\n');
  assert.deepEqual(errors, []);
  assert.deepEqual(Object.fromEntries(value.limits), {
    a: { wait: 2_000, tries: 3 },
    "b-2": { wait: 1_000, tries: 5 },
  });
  assert.deepEqual([value.colour, value.loud], [undefined, false]);
});

Deno.test("sectionMap() takes no name that JavaScript or TOML reads otherwise", () => {
  for (const name of ["__proto__", "Upper", '"a.b"', '"a b"', '"\\n"', '""']) {
    const { errors } = read(`[limits.${name}]\nwait = "2s"\n`);
    assert.match(errors[0] ?? "", /its name is not one word in lower case$/, name);
  }
  assert.deepEqual(read("[limits.constructor]\n").errors, []);
});

Deno.test("a value of another type is named, whatever it is", () => {
  const table: Record<string, string> = {
    "limits = 1": 'Cannot use "limits": it is not a table',
    "limits.a = 1": 'Cannot use "limits.a": it is not a table',
    "limits.a.wait = 1": 'Cannot use "limits.a.wait": it is not a string',
    "limits.a.tries = 0": 'Cannot use "limits.a.tries": it is not a whole number from 1 to 5',
    "limits.a.tries = 1.5": 'Cannot use "limits.a.tries": it is not a whole number from 1 to 5',
    "colour = 'pink'": 'Cannot use "colour": "pink" is not "red", "green" or "blue"',
    "loud = 'yes'": 'Cannot use "loud": it is neither true nor false',
  };
  for (const [text, message] of Object.entries(table)) {
    assert.deepEqual(read(`${text}\n`).errors, [message], text);
  }
});

Deno.test("placedKeys() names every key as it is written", () => {
  assert.deepEqual(placedKeys(ROOT).map(({ name }) => name), [
    "limits.<name>.wait",
    "limits.<name>.tries",
    "colour",
    "loud",
  ]);
});

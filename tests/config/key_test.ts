import assert from "node:assert/strict";
import { key, section, sectionMap, type ValueOf } from "../../src/config/key.ts";
import { placedKeys } from "./placed_keys.ts";
import type { FirmaError } from "../../src/core/result.ts";
import { parseToml } from "../../src/config/toml.ts";
import { BOOLEAN, DURATION, oneOf, SIZE } from "../../src/config/value_type.ts";

const LIMITS = section("Limits", {
  wait: key(DURATION, { about: "How long to wait", default: "1s", applies: "live" }),
  room: key(SIZE, { about: "How much fits", default: "3 KB", applies: "live" }),
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
  const { value, errors } = read('[limits.a]\nwait = "2s"\n[limits.b-2]\nroom = "5 B"\n');
  assert.deepEqual(errors, []);
  assert.deepEqual(Object.fromEntries(value.limits), {
    a: { wait: 2_000, room: 3_000 },
    "b-2": { wait: 1_000, room: 5 },
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
    "limits.a.room = '0 B'": 'Cannot use "limits.a.room": "0 B" is nothing at all',
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
    "limits.<name>.room",
    "colour",
    "loud",
  ]);
});

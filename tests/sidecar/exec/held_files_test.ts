/** What the gate tells with a question is not asked for, and nothing is decided without it. */
import assert from "node:assert/strict";
import type { HeldFiles } from "../../../src/core/local_exec.ts";
import { answerTo } from "./support.ts";

const FEW = `permit (principal, action, resource);
  forbid (principal, action in [Firma::Action::"filesystem.delete"], resource)
  when { context has filesystem_delete_count && context.filesystem_delete_count > 2 };`;

const rm = (...args: string[]) => ({
  path: "/bin/rm",
  file: "/usr/bin/rm",
  names: ["rm"],
  argv: ["rm", ...args],
  argc: 1 + args.length,
});

const answer = (allow: boolean) => ({ kind: "answer", number: 1, allow });

Deno.test("the Sidecar decides at once by files that the gate has counted", async (t) => {
  const cases: Record<string, [args: string[], held: HeldFiles[], allow: boolean]> = {
    "few": [["a", "b"], [["a", 1, 1], ["b", 1, 1]], true],
    "many": [["a", "b", "c"], [["a", 1, 1], ["b", 1, 1], ["c", 1, 1]], false],
    "the same thrice": [["a", "a", "a"], [["a", 1, 1]], false],
    "a directory, by itself": [["a"], [["a", 1, 9]], true],
    "with all below it": [["-r", "a"], [["a", 1, 9]], false],
  };
  for (const [name, [args, held, allow]] of Object.entries(cases)) {
    await t.step(name, async () => {
      assert.deepEqual(await answerTo(rm(...args), { policy: FEW, held }), answer(allow));
    });
  }
});

Deno.test("the Sidecar asks for what the gate has not counted", async (t) => {
  const cases: Record<string, [args: string[], held: HeldFiles[] | undefined]> = {
    "nothing": [["a"], undefined],
    "another file": [["a"], [["b", 1, 1]]],
    "one of two": [["a", "b"], [["a", 1, 1]]],
    "what is below a directory": [["-r", "a"], [["a", 1]]],
    "no number": [["a"], [["a", "1" as unknown as number]]],
  };
  for (const [name, [args, held]] of Object.entries(cases)) {
    await t.step(name, async () => {
      const paths = args.filter((arg) => arg !== "-r");
      assert.deepEqual(
        await answerTo(rm(...args), { policy: FEW, ...(held && { held }) }),
        { kind: "count", number: 1, paths, recursive: args.includes("-r") },
      );
    });
  }
});

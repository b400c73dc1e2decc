import { fileURLToPath } from "node:url";

/**
 * The words that start this very program again, to which a subcommand is
 * appended: the executable itself when compiled, `deno run …` from source.
 */
export function selfCommand(): [string, ...string[]] {
  if (Deno.build.standalone) return [Deno.execPath()];
  return [
    Deno.execPath(),
    "run",
    "-A",
    "--no-prompt",
    "--unstable-worker-options",
    "--unstable-net",
    "--quiet",
    "--frozen",
    "--v8-flags=--max-semi-space-size=4,--expose-gc",
    "--config",
    fileURLToPath(import.meta.resolve("../../deno.json")),
    fileURLToPath(import.meta.resolve("../../main.ts")),
  ];
}

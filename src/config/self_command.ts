import { programFile } from "./program_file.ts";

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
    pathOf("deno.json"),
    pathOf("main.ts"),
  ];
}

// Not by way of node:url, which takes longer to load than anything else that a start waits for.
function pathOf(file: string): string {
  return decodeURIComponent(programFile(file).pathname);
}

import { CheckedContents } from "../config/checked_contents.ts";
import { dataDir, type Environment } from "../config/paths.ts";
import { ok } from "../core/result.ts";
import { join } from "../core/path.ts";
import { PLACES } from "./bwrap.ts";
import { isExecutable } from "./paths.ts";
import type { SandboxTools } from "./request.ts";
import { ENV } from "./signal_reset.ts";

/**
 * What `find` found, and from then on the same without it as long as the programs that it asks are
 * the same files: starting them is a twentieth of what joining a Sidecar costs. Only what is good
 * is remembered; a program that is missing or too old is looked at again each time.
 */
export async function findKnownTools(
  env: Environment,
  find: () => Promise<SandboxTools>,
): Promise<SandboxTools> {
  const bwrap = rememberedBwrap(env);
  if (bwrap !== undefined) return [ok(bwrap), true];
  const tools = await find();
  const [found, shielded] = tools;
  const content = found.ok && shielded && contentOf([found.value, ENV]);
  if (content) knownTo(env).add(content, true);
  return tools;
}

/** Where bubblewrap is, if that and the rest were once found to be as they should. */
export function rememberedBwrap(env: Environment): string | undefined {
  const path = PLACES.find(isExecutable);
  const content = path && contentOf([path, ENV]);
  return content !== undefined && knownTo(env).get(content) === true ? path : undefined;
}

function knownTo(env: Environment): CheckedContents {
  return new CheckedContents(join(dataDir(env), "known"));
}

/** Which files these are, exactly; `undefined` when one cannot be looked at. */
function contentOf(paths: readonly string[]): unknown {
  try {
    return [
      "tools",
      ...paths.map((path) => {
        const { dev, ino, size, mtime, ctime } = Deno.statSync(path);
        return [path, dev, ino, size, mtime?.getTime(), ctime?.getTime()];
      }),
    ];
  } catch {
    return undefined;
  }
}

import { userId } from "../../config/user_id.ts";
import { isId } from "../../core/id.ts";
import { join } from "../../core/path.ts";
import type { ComponentLog } from "./component_entries.ts";
import type { ComponentSource } from "./entry.ts";

const SOURCES: readonly ComponentSource[] = ["sidecar", "authority", "supervisor"];

/**
 * The logs of the components whose state lies below `stateDir`: daemons, and runs of their own.
 * None where the directory is somebody else's, who could tell any tale: in `/tmp` anybody can be
 * there first.
 */
export function componentLogs(
  stateDir: string,
  wanted: ReadonlySet<ComponentSource>,
): ComponentLog[] {
  if (!isOwn(stateDir)) return [];
  const sources = SOURCES.filter((source) => wanted.has(source));
  const found = sources.map((source) => ({
    source,
    file: join(stateDir, "daemon", `${source}.log`),
    sandboxId: "",
  }));
  // What is left of a Sidecar that died while its run went on.
  if (wanted.has("sidecar")) {
    found.push({ source: "sidecar", file: join(stateDir, "sidecar-crash.log"), sandboxId: "" });
  }
  for (const sandboxId of runs(join(stateDir, "run"))) {
    for (const source of sources) {
      if (source === "supervisor") continue;
      const file = join(stateDir, "run", sandboxId, `${source}.log`);
      found.push({ source, file, sandboxId });
    }
  }
  return found;
}

function runs(directory: string): string[] {
  try {
    return [...Deno.readDirSync(directory)]
      .filter((entry) => entry.isDirectory && isId("sbx", entry.name))
      .map(({ name }) => name)
      .sort();
  } catch {
    return []; // no run yet
  }
}

function isOwn(directory: string): boolean {
  try {
    const { isDirectory, uid } = Deno.lstatSync(directory);
    return isDirectory && uid === userId();
  } catch {
    return false;
  }
}

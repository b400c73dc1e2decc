import { join } from "../core/path.ts";
import { newId } from "../core/id.ts";
import { err, ok, type Result } from "../core/result.ts";
import { CONFIG_DIRECTORY, CONFIG_FILE } from "./discover.ts";
import { programOf } from "./agent_program.ts";
import { packNames, readPack, readPolicyFile } from "./packs.ts";
import { configText } from "./setup/config_text.ts";

/** The posture of a project that nobody chose one for. */
export const DEFAULT_POSTURE = "dev";

/** Services that nearly every coding agent needs. */
const COMMON_MAPPINGS = ["npm", "pypi", "cargo", "github"];

/** The mappings that an agent's own service needs, by the name of its program. */
const VENDORS: Readonly<Record<string, readonly string[]>> = {
  claude: ["anthropic"],
  codex: ["openai"],
  copilot: ["copilot"],
  gemini: ["gemini"],
  opencode: ["anthropic", "openai"],
  aider: ["anthropic", "openai"],
};

function vendorMappings(program: string): readonly string[] {
  return Object.hasOwn(VENDORS, program) ? VENDORS[program]! : [];
}

/** The mappings that a project starts with when `command` is its first one. */
export function defaultMappings(command: readonly string[]): string[] {
  const available = new Set(packNames("mapping"));
  return [...COMMON_MAPPINGS, ...vendorMappings(programOf(command))]
    .filter((name) => available.has(name));
}

/** What to put into a new `.firma/`. */
export interface ScaffoldPlan {
  readonly posture: string;
  readonly mappings: readonly string[];
  /** Left to be chosen from each command when absent. */
  readonly profile?: string | undefined;
}

/** A file to write, by its path inside `.firma/`. */
export interface ScaffoldFile {
  readonly path: string;
  readonly text: string;
}

/** The files of a new `.firma/`. Fails on an unknown posture or mapping. */
export function scaffoldFiles(plan: ScaffoldPlan): Result<ScaffoldFile[]> {
  const posture = readPack("posture", plan.posture);
  if (!posture.ok) return posture;
  const files: ScaffoldFile[] = [
    {
      path: CONFIG_FILE,
      text: configText({
        mode: "agent-local",
        profile: plan.profile,
        agentId: newId("agt"),
        rulesPaths: plan.mappings.map((name) => `mappings/${name}.toml`),
        more: [],
      }),
    },
    { path: `policies/${plan.posture}.cedar`, text: posture.value },
    { path: "issuance-policies/issuance.cedar", text: readPolicyFile("issuance.cedar") },
  ];
  for (const name of new Set(plan.mappings)) {
    const mapping = readPack("mapping", name);
    if (!mapping.ok) return mapping;
    files.push({ path: `mappings/${name}.toml`, text: mapping.value });
  }
  return ok(files);
}

/**
 * Writes `.firma/` into `directory`, whole or not at all, and returns the path
 * of its `firma.toml`; see {@linkcode writeDirectory}.
 */
export function writeScaffold(
  directory: string,
  files: readonly ScaffoldFile[],
): Result<string> {
  return writeDirectory(join(directory, CONFIG_DIRECTORY), files);
}

/**
 * Writes a directory of this name, whole or not at all, and returns the path of its
 * `firma.toml`. Refuses one that holds anything: a policy that somebody else put
 * there would come into force as if firma had written it.
 */
export function writeDirectory(
  target: string,
  files: readonly ScaffoldFile[],
): Result<string> {
  const draft = `${target}.${crypto.randomUUID().slice(0, 8)}`;
  try {
    Deno.mkdirSync(draft, { mode: 0o755 });
    for (const { path, text } of files) {
      const file = join(draft, path);
      Deno.mkdirSync(join(file, ".."), { recursive: true, mode: 0o755 });
      Deno.writeTextFileSync(file, text, { createNew: true, mode: 0o644 });
    }
    Deno.renameSync(draft, target); // fails when the target is a directory that is not empty
    return ok(join(target, CONFIG_FILE));
  } catch (cause) {
    try {
      Deno.removeSync(draft, { recursive: true });
    } catch {
      // Nothing was written.
    }
    const occupied = exists(target);
    return err({
      code: occupied ? "CONFIG_DIRECTORY_OCCUPIED" : "CONFIG_NOT_WRITTEN",
      message: occupied
        ? `Cannot set up "${target}": there is something of that name without a ${CONFIG_FILE}`
        : `Cannot set up "${target}": ${cause instanceof Error ? cause.message : cause}`,
      cure: occupied
        ? "look at what it holds and remove it, or give it a firma.toml and run firma trust"
        : "start in a directory that you can write, or name a configuration with --config",
      cause,
    });
  }
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

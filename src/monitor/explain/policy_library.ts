import { readPolicyFiles, versionOf } from "../../authority/policy_files.ts";
import { discoverConfig } from "../../config/discover.ts";
import { checkConfigFile, readConfigFile } from "../../config/load.ts";
import type { Environment } from "../../config/paths.ts";
import { trustState } from "../../config/trust.ts";
import type { PolicyTexts } from "./policy_texts.ts";

/** How long a text counts as what is in force, in milliseconds. */
const FRESH_MS = 2_000;
const MOST_PROJECTS = 32;

interface Shelf {
  texts: PolicyTexts | undefined;
  readMs: number;
}

/**
 * The policies of the projects that sessions work in, read when somebody asks.
 * Only of configurations that the operator trusts: another's says nothing about
 * what was decided here.
 */
export class PolicyLibrary {
  readonly #env: Environment;
  readonly #shelves = new Map<string, Shelf>();

  constructor(env: Environment) {
    this.#env = env;
  }

  /** The policies of the project around `workspace`, as far as they were read; reads nothing. */
  known(workspace: string): PolicyTexts | undefined {
    return this.#shelves.get(workspace)?.texts;
  }

  /**
   * Reads the policies of the project around `workspace`, unless that was done
   * just now. Never rejects; resolves to whether there is something new.
   */
  async refresh(workspace: string): Promise<boolean> {
    const now = Date.now();
    const shelf = this.#shelves.get(workspace);
    if (shelf !== undefined && now - shelf.readMs < FRESH_MS) return false;
    const before = shelf?.texts?.version;
    const next = { texts: shelf?.texts, readMs: now };
    this.#shelves.set(workspace, next);
    if (this.#shelves.size > MOST_PROJECTS) {
      this.#shelves.delete(this.#shelves.keys().next().value!);
    }
    next.texts = await readTexts(workspace, this.#env).catch(() => undefined);
    return next.texts?.version !== before;
  }
}

async function readTexts(workspace: string, env: Environment): Promise<PolicyTexts | undefined> {
  if (!workspace.startsWith("/")) return undefined;
  const found = discoverConfig({ env: {}, cwd: workspace });
  if (!found.ok || found.value === undefined) return undefined;
  const file = readConfigFile(found.value.file);
  if (!file.ok || trustState(file.value, env).state !== "trusted") return undefined;
  const config = checkConfigFile(file.value, env);
  if (!config.ok) return undefined;
  const directory = config.value.authority.policyDir;
  const read = await readPolicyFiles(directory);
  if (read.kind !== "files") return undefined;
  return { version: versionOf(read.files), files: read.files, directory };
}

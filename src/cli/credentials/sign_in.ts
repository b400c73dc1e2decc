import { join } from "../../core/path.ts";
import type { KnownService } from "./services.ts";

/** A secret that another program of this user keeps on the disk. */
export interface SignIn {
  /** The program. */
  readonly program: string;
  readonly path: string;
  readonly secret: string;
}

interface Keeper {
  readonly program: string;
  /** Below the home. */
  readonly path: string;
  readonly read: (text: string, hosts: readonly string[]) => string | undefined;
}

const KEEPERS: Readonly<Record<string, Keeper>> = {
  copilot: { program: "copilot", path: ".copilot/config.json", read: copilotToken },
  github: { program: "gh", path: ".config/gh/hosts.yml", read: ghToken },
  huggingface: { program: "hf", path: ".cache/huggingface/token", read: (text) => text.trim() },
  npm: { program: "npm", path: ".npmrc", read: npmToken },
  openai: { program: "codex", path: ".codex/auth.json", read: codexKey },
};

/** More than any of these files has. */
const LARGEST_FILE = 65_536;

/**
 * What a program has already that firma could take over, so that agents work with placeholders of it
 * from then on. Tokens that a program renews by itself are left to it: two that renew one token take
 * it away from each other.
 */
export function findSignIn({ name, hosts }: KnownService, home: string): SignIn | undefined {
  const keeper = Object.hasOwn(KEEPERS, name) ? KEEPERS[name] : undefined;
  if (keeper === undefined || home === "") return undefined;
  const path = join(home, keeper.path);
  try {
    const { isFile, size } = Deno.statSync(path);
    if (!isFile || size > LARGEST_FILE) return undefined;
    const secret = keeper.read(Deno.readTextFileSync(path), hosts);
    return secret ? { program: keeper.program, path, secret } : undefined;
  } catch {
    return undefined; // it keeps none there
  }
}

/** The token that stands in the section of github.com. */
function ghToken(text: string): string | undefined {
  const section = /^github\.com:[ \t]*\r?\n((?:[ \t]+.*(?:\r?\n|$))*)/m.exec(text)?.[1];
  return /^[ \t]+oauth_token:[ \t]*["']?([\w-]+)["']?[ \t]*\r?$/m.exec(section ?? "")?.[1];
}

/** Whichever account's stands first. */
function copilotToken(text: string): string | undefined {
  // JSON, with comments before it since 1.0; members have changed their names.
  return /"((?:gh[ou]_|github_pat_)\w+)"/.exec(text)?.[1];
}

function npmToken(text: string, [host]: readonly string[]): string | undefined {
  for (const line of text.split(/\r?\n/)) {
    const [name, value] = line.split("=", 2).map((part) => part.trim());
    // `${NPM_TOKEN}` stands for a variable.
    if (name === `//${host}/:_authToken` && !value?.includes("$")) return value;
  }
}

function codexKey(text: string): string | undefined {
  const parsed: unknown = JSON.parse(text);
  const { OPENAI_API_KEY: key } = (parsed ?? {}) as Record<string, unknown>;
  return typeof key === "string" ? key : undefined;
}

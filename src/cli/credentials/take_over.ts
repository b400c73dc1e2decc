import type { Json } from "../../config/value_type.ts";
import { join } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { writeNewFiles } from "../../pki/new_files.ts";
import { formatSignIn, type KeptSignIn, parseSignIn } from "../../secrets/sign_in/kept_sign_in.ts";
import type { SignInServiceName } from "../../secrets/sign_in/services.ts";
import {
  SIGN_IN_FILES,
  type SignInFile,
  tokensIn,
  withTokens,
} from "../../secrets/sign_in_files.ts";

/** A sign-in that a program renews by itself, and that firma can take over. */
export interface TakeOver {
  /** The program. */
  readonly program: string;
  /** Where the program keeps it. */
  readonly path: string;
  readonly signIn: SignInFile;
  readonly kept: KeptSignIn;
  /** Keys of the credential, without the file. */
  readonly keys: Readonly<Record<string, Json>>;
}

interface Program {
  readonly program: string;
  /** Ids of sign-in files, with where their tokens come from; the first that has any counts. */
  readonly signIns: readonly (readonly [string, SignInServiceName])[];
}

/** By the name of the credential. */
const PROGRAMS: Readonly<Record<string, Program>> = {
  claude: { program: "Claude Code", signIns: [["claude", "claude"]] },
  codex: { program: "Codex", signIns: [["codex-subscription", "openai"]] },
  gemini: { program: "Gemini CLI", signIns: [["gemini", "google"]] },
  opencode: {
    program: "opencode",
    signIns: [["opencode-anthropic", "claude"], ["opencode-openai-subscription", "openai"]],
  },
};

/** Stands in the program's file afterwards. */
const TAKEN = "taken-over-by-firma";

const LARGEST_FILE = 1024 * 1024;

/** The sign-in that the program of this name has on the disk, if it is one that it renews. */
export function findTakeOver(
  name: string,
  env: Readonly<Record<string, string>>,
): TakeOver | undefined {
  const known = Object.hasOwn(PROGRAMS, name) ? PROGRAMS[name] : undefined;
  for (const [id, service] of known?.signIns ?? []) {
    const signIn = SIGN_IN_FILES.find((file) => file.id === id)!;
    const path = pathOf(signIn, env);
    const kept = path === undefined ? undefined : keptIn(signIn, read(path));
    if (path === undefined || kept === undefined) continue;
    const keys = { provider: "sign_in", sign_in_at: service, hosts: [...signIn.hosts] };
    return { program: known!.program, path, signIn, kept, keys };
  }
}

/** The text of the file that keeps what was taken over. */
export function keptText({ kept }: Pick<TakeOver, "kept">): string {
  return formatSignIn(kept);
}

/** Takes the tokens out of the program's file; it is signed out from then on. */
export async function signOut({ path, signIn }: TakeOver): Promise<Result<void>> {
  const text = withTokens(read(path), signIn, () => TAKEN);
  if (text === undefined) return unwritable(path);
  return await replace(path, text);
}

/**
 * Puts what is kept for a credential back into the file of the program that it was taken from;
 * the program's name, or nothing where no program's file says that it was taken over.
 */
export async function giveBack(
  keptFile: string,
  service: string,
  env: Readonly<Record<string, string>>,
): Promise<Result<string | undefined>> {
  const kept = parseSignIn(read(keptFile));
  if (kept?.tokens.access === undefined) return ok(undefined);
  for (const { program, signIns } of Object.values(PROGRAMS)) {
    for (const [id, at] of signIns) {
      const signIn = SIGN_IN_FILES.find((file) => file.id === id)!;
      const path = at === service ? pathOf(signIn, env) : undefined;
      if (path === undefined) continue;
      const before = read(path);
      if (tokensIn(before, signIn)?.access !== TAKEN) continue;
      const text = withTokens(before, signIn, (role) => kept.tokens[role], kept.expiresAtMs);
      if (text === undefined) return unwritable(path);
      const written = await replace(path, text);
      return written.ok ? ok(program) : written;
    }
  }
  return ok(undefined);
}

function keptIn(signIn: SignInFile, text: string): KeptSignIn | undefined {
  const found = tokensIn(text, signIn);
  if (!found?.access || !found.refresh || found.access === TAKEN) return undefined;
  const { access, refresh, id, expiresAtMs } = found;
  return {
    tokens: { access, refresh, ...id !== undefined && { id } },
    ...expiresAtMs !== undefined && { expiresAtMs },
  };
}

function pathOf(
  { directory, variable, name }: SignInFile,
  env: Readonly<Record<string, string>>,
): string | undefined {
  const base = (variable && env[variable]) || (env.HOME && join(env.HOME, directory));
  return base ? join(base, name) : undefined;
}

function read(path: string): string {
  try {
    const { isFile, size } = Deno.statSync(path);
    return isFile && size <= LARGEST_FILE ? Deno.readTextFileSync(path) : "";
  } catch {
    return ""; // there is none
  }
}

async function replace(path: string, text: string): Promise<Result<void>> {
  try {
    // A link to where somebody keeps it stays one.
    const real = await Deno.realPath(path);
    return await writeNewFiles([{ path: real, text, secret: true }], true);
  } catch {
    return unwritable(path);
  }
}

function unwritable(path: string): Result<never> {
  return err({
    code: "SIGN_IN_UNCHANGED",
    message: `Cannot change the sign-in in "${path}": it is not what it was`,
    cure: "sign out with the program itself: two that renew one sign-in end it for each other",
  });
}

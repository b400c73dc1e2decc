import { join } from "../core/path.ts";
import {
  type EndOf,
  SIGN_IN_FILES,
  type SignInFile,
  withPlaceholders,
} from "../secrets/sign_in_files.ts";
import { entryAt, isWithin, realPath } from "./paths.ts";

/** A file with an agent's sign-in, over which a copy without its tokens lies in the sandbox. */
export interface OverlaidSignIn {
  /** Of the host, as it is really called. */
  readonly target: string;
  /** Everything in it that is for hosts with a configured credential. */
  readonly signIns: readonly SignInFile[];
}

/** Where sign-ins are looked for. */
export interface SignInOptions {
  readonly home: string;
  readonly hostEnv: Readonly<Record<string, string>>;
  /** What of the home the sandbox shows. */
  readonly shown: readonly string[];
  /** Hosts that have a configured credential. */
  readonly brokeredHosts: readonly string[];
}

/** Larger ones are no sign-in; they read as one without tokens. */
const LARGEST = 1024 * 1024;

/** Finds the sign-ins that the sandbox would show and that are for hosts with a credential. */
export function findSignIns(options: SignInOptions): OverlaidSignIn[] {
  const { home, hostEnv, shown, brokeredHosts } = options;
  const found = new Map<string, SignInFile[]>();
  for (const signIn of SIGN_IN_FILES) {
    if (!signIn.hosts.some((host) => brokeredHosts.includes(host))) continue;
    const { directory, variable, name } = signIn;
    const base = (variable && hostEnv[variable]) || join(home, directory);
    const path = join(base, name);
    if (entryAt(path) === undefined) continue;
    const target = realPath(path);
    if (entryAt(target)?.isFile !== true) continue;
    if (!shown.some((root) => isWithin(target, root) || isWithin(path, root))) continue;
    // Without a token it can be shown as it is, and its program goes on to work.
    if (signIn.replaced && isReadable(target) && !signIn.replaced.test(read(target))) continue;
    found.set(target, [...found.get(target) ?? [], signIn]);
  }
  return [...found].map(([target, signIns]) => ({ target, signIns }));
}

/** Whether a copy over it keeps its program from starting. */
export function isInTheWay({ signIns }: OverlaidSignIn): boolean {
  return signIns.some(({ replaced }) => replaced !== undefined);
}

/** Makes the copies, which say nothing yet; in the order of `overlaid`. */
export function makeCopies(overlaid: readonly OverlaidSignIn[], directory: string): string[] {
  return overlaid.map((_, index) => {
    const copy = join(directory, `sign-in-${index}.json`);
    Deno.writeTextFileSync(copy, "{}\n", { mode: 0o600 });
    return copy;
  });
}

/** Writes the copies, with the placeholders of a session in place of the tokens. */
export function fillCopies(
  overlaid: readonly OverlaidSignIn[],
  copies: readonly string[],
  placeholders: Readonly<Record<string, Readonly<Record<string, string>>>>,
  endOf?: EndOf,
): void {
  for (const [index, { target, signIns }] of overlaid.entries()) {
    const filled = signIns.map((signIn) => [signIn, placeholders[signIn.id] ?? {}] as const);
    Deno.writeTextFileSync(
      copies[index]!,
      withPlaceholders(read(target), filled, Date.now(), endOf),
    );
  }
}

function isReadable(path: string): boolean {
  return read(path) !== "" || Deno.statSync(path).size === 0;
}

function read(path: string): string {
  try {
    return Deno.statSync(path).size <= LARGEST ? Deno.readTextFileSync(path) : "";
  } catch {
    return ""; // it went away, or is not this user's to read
  }
}

import { basename, dirname, join } from "../core/path.ts";
import { type Mount, readOnly } from "./mounts.ts";
import { exists, isWithin, realPath } from "./paths.ts";

/** Version managers whose programs need the whole directory, by their place below the home. */
const WHOLE = [
  ...[".pyenv", ".rbenv", ".nodenv", ".goenv", ".jenv", ".asdf", ".volta", ".bun", ".rye"],
  ...[".sdkman/candidates", ".local/share/mise", ".local/share/fnm", ".local/share/pnpm"],
  ...[".rustup", ".proto", "miniconda3", "anaconda3", "miniforge3", ".juliaup"],
];

/** What belongs to a `bin` directory. `etc` does not: npm keeps tokens there. */
const SIBLINGS = ["lib", "lib64", "libexec", "include", "pkg", "src"];

/** Variables that say where a toolchain is. */
const VARIABLES = [
  ...["RUSTUP_HOME", "PYENV_ROOT", "GOROOT", "JAVA_HOME", "CONDA_PREFIX", "VOLTA_HOME"],
];

/** Where programs are looked for, and what must not be shown on their account. */
export interface ToolchainOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Home of the user, as named and as it really is. */
  readonly homes: readonly string[];
  /** Directories that are shown anyway. */
  readonly shown: readonly string[];
  /** The program that is to run. */
  readonly program: string;
}

/** What of the host makes the programs on PATH work, and PATH as it is in the sandbox. */
export interface Toolchains {
  readonly mounts: readonly Mount[];
  readonly path: string;
}

/**
 * Finds what the programs on PATH consist of where they do not belong to the system: their own
 * directories, never the home or a directory of settings that they happen to lie in.
 */
export function findToolchains({ env, homes, shown, program }: ToolchainOptions): Toolchains {
  const mounts: Mount[] = [];
  const isShown = (path: string) =>
    [...shown, ...mounts.map((mount) => mount.target)].some((root) => isWithin(path, root));
  const show = (path: string) => {
    const real = realPath(path);
    if (homes.some((home) => isWithin(home, real)) || !exists(real)) return;
    if (!isShown(real)) mounts.push(readOnly(real));
    if (!isShown(path)) mounts.push({ kind: "bind", source: real, target: path });
  };
  const showDirectory = (directory: string) => {
    for (const path of toolPaths(directory, homes)) show(path);
  };

  const path = (env.PATH ?? "").split(":").map((entry) => {
    if (!entry.startsWith("/") || isShown(entry) || !exists(entry)) return entry;
    // Of a link, which may lie where the sandbox shows nothing, only the end counts.
    const real = realPath(entry);
    showDirectory(real);
    return real;
  });
  for (const variable of VARIABLES) if (env[variable]?.startsWith("/")) show(env[variable]);
  // Rust's programs are links to rustup, which looks here.
  for (const home of homes) {
    if (path.includes(join(home, ".cargo/bin"))) show(join(home, ".rustup"));
  }

  for (const part of programPaths(program)) show(part);
  return { mounts, path: path.join(":") };
}

function toolPaths(directory: string, homes: readonly string[]): string[] {
  for (const home of homes) {
    const whole = WHOLE.map((name) => join(home, name)).find((root) => isWithin(directory, root));
    if (whole) return [whole];
  }
  if (!["bin", "sbin"].includes(basename(directory))) return [directory];
  const prefix = dirname(directory);
  if (homes.includes(prefix)) return [directory]; // ~/lib and ~/src are the user's own
  return [directory, ...SIBLINGS.map((name) => join(prefix, name))];
}

/** A program's file, the package that it belongs to, and its interpreter. */
function programPaths(program: string): string[] {
  const real = realPath(program);
  return [...packageOf(real), program, ...interpreterOf(real)];
}

function packageOf(file: string): string[] {
  const modules = file.indexOf("/node_modules/");
  if (modules >= 0) return [file.slice(0, modules + "/node_modules".length)];
  const prefix = dirname(dirname(file));
  return exists(join(prefix, "pyvenv.cfg")) ? [prefix, ...pythonOf(prefix)] : [];
}

/** The installation that a Python virtual environment was made from. */
function pythonOf(environment: string): string[] {
  const python = realPath(join(environment, "bin/python"));
  return [dirname(dirname(python))];
}

function interpreterOf(script: string): string[] {
  let file: Deno.FsFile | undefined;
  try {
    file = Deno.openSync(script);
    const head = new Uint8Array(256);
    const count = file.readSync(head) ?? 0;
    const line = new TextDecoder().decode(head.subarray(0, count)).split("\n")[0]!;
    const interpreter = /^#!\s*(\/\S+)/.exec(line)?.[1];
    return interpreter ? [...packageOf(interpreter), interpreter] : [];
  } catch {
    return [];
  } finally {
    file?.close();
  }
}

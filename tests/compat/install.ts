import { join } from "node:path";

/** A program that npm has installed, for as long as this lives. */
export interface Installed extends AsyncDisposable {
  /** Its absolute path. */
  readonly program: string;
}

/**
 * Installs a package with its version, such as `ws@8.18.0`, or one that is a directory of this
 * project, into a directory of its own.
 */
export async function install(npm: string, program: string): Promise<Installed> {
  const directory = await Deno.makeTempDir({ prefix: "firma-compat-" });
  await Deno.writeTextFile(join(directory, "package.json"), "{}");
  const what = npm.startsWith("docs/") ? join(Deno.cwd(), npm) : npm;
  // Not with --prefix: npm would look there for the machine's own settings too. Not as links:
  // a sandbox shows what belongs to a program, and nothing else.
  const { success, stderr } = await new Deno.Command("npm", {
    args: ["install", "--no-audit", "--no-fund", "--loglevel=error", "--install-links", what],
    cwd: directory,
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`Cannot install "${npm}": ${new TextDecoder().decode(stderr)}`);
  }
  return {
    program: join(directory, "node_modules/.bin", program),
    [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }),
  };
}

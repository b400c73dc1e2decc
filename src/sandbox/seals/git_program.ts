import { type GitSetting, parseSettings } from "./git_settings.ts";
import { exists } from "../paths.ts";

/** Never looked for on PATH: it runs on the host, and an agent may write to a directory there. */
const PLACES = [
  "/usr/bin/git",
  "/usr/local/bin/git",
  "/bin/git",
  "/opt/homebrew/bin/git",
  "/home/linuxbrew/.linuxbrew/bin/git",
  "/run/current-system/sw/bin/git",
];

/** Path of the host's git, if it has one. */
export function findGit(): string | undefined {
  return PLACES.find(exists);
}

/**
 * The settings in the text of a configuration file, as git itself reads them; `undefined` where it
 * cannot. Reads no repository and follows no include.
 */
export function readSettings(git: string, text: string): GitSetting[] | undefined {
  // Not from standard input: a synchronous command has none to be written to.
  const file = Deno.makeTempFileSync({ prefix: "firma-git-" });
  try {
    Deno.writeTextFileSync(file, text);
    const { success, stdout } = new Deno.Command(git, {
      args: ["config", "--file", file, "--no-includes", "--list", "-z"],
      cwd: "/",
      clearEnv: true,
      env: {
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CEILING_DIRECTORIES: "/",
      },
      stdin: "null",
      stderr: "null",
    }).outputSync();
    return success ? parseSettings(new TextDecoder().decode(stdout)) : undefined;
  } finally {
    Deno.removeSync(file);
  }
}

/**
 * Code hosts whose repositories are the same over HTTPS as over SSH. SSH itself is refused: nobody
 * could tell there what a push does.
 */
const CODE_HOSTS = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"];
const OVER_HTTPS = CODE_HOSTS.flatMap((host) => [
  `[url "https://${host}/"]`,
  ...[`git@${host}:`, `ssh://git@${host}/`, `ssh://git@${host}:22/`]
    .map((address) => `\tinsteadOf = ${address}`),
]);

/**
 * A system-wide git configuration for the sandbox: the machine's, and over it who the user is,
 * which is all that is taken from their own. The rest of it may hold credentials. Addresses of known
 * code hosts over SSH become such over HTTPS. `ignoreFile` names files that git is not to show as
 * new.
 */
export function gitSystemConfig(ofUser: string, ignoreFile?: string): string {
  const identity: string[] = [];
  let section = "";
  for (const line of ofUser.split("\n")) {
    section = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)?.[1]?.toLowerCase() ?? section;
    const entry = /^\s*(name|email)\s*=\s*(.*?)\s*$/i.exec(line);
    if (section === "user" && entry) identity.push(`\t${entry[1]} = ${entry[2]}`);
  }
  const user = identity.length === 0 ? [] : ["[user]", ...identity];
  const ignored = ignoreFile === undefined ? [] : ["[core]", `\texcludesFile = ${ignoreFile}`];
  const lines = ["[include]", "\tpath = /etc/gitconfig", ...OVER_HTTPS, ...user, ...ignored];
  return [...lines, ""].join("\n");
}

/** Patterns of gitignore(5) that name exactly these paths below the root of a repository. */
export function ignoreLines(paths: readonly string[]): string {
  return paths.map((path) => `/${path.replace(/[\\*?[\]!# ]/g, "\\$&")}\n`).join("");
}

/** Which settings of git make it run programs (git-config(1)); all pure. */

/** A setting as `git config --list -z` tells it. */
export interface GitSetting {
  /** Section and name in lower case, the subsection between them as it is. */
  readonly key: string;
  /** `undefined` for a name without `=`, which means true. */
  readonly value: string | undefined;
}

/** Names that hold a program or a command line, whatever section they stand in. */
const PROGRAM_NAMES = new Set([
  ...["hookspath", "sshcommand", "askpass", "editor", "pager", "gitproxy", "helper", "external"],
  ...["textconv", "path", "driver", "clean", "smudge", "process", "program", "difffilter"],
  ...["uploadpack", "receivepack", "vcs", "templatedir", "browser", "tunnel", "smtpserver"],
  "fsmonitor",
]);

/** Sections in which every name holds one, or leads to further settings. */
const PROGRAM_SECTIONS = new Set([
  ...["include", "includeif", "pager", "hook", "protocol", "credential", "tar", "man", "browser"],
  ...["difftool", "mergetool", "guitool", "sendemail", "instaweb", "trailer", "lfs", "filter"],
  // With or without "!": `-c core.pager=…`, `grep -O…` and `rebase -x …` run programs as well.
  "alias",
]);

/** Sections whose `path` is a directory or a pattern, not a program. */
const HARMLESS_PATHS = new Set(["submodule"]);

const isBoolean = (value: string) => /^(true|false|yes|no|on|off|0|1|)$/i.test(value);

/** Tells whether a setting makes git run a program, or read settings from elsewhere. */
export function runsProgram({ key, value = "" }: GitSetting): boolean {
  const section = key.split(".", 1)[0]!;
  const name = key.slice(key.lastIndexOf(".") + 1);
  // A remote helper: git runs `git-remote-<word>`, and ext:: any command line.
  if (/^[\w-]+::/.test(value) || /^url\.[\w-]+::/.test(key)) return true;
  if (name === "update") return value.startsWith("!");
  if (name === "path" && HARMLESS_PATHS.has(section)) return false;
  // Its own daemon, which runs nothing of the repository's.
  if (name === "fsmonitor") return !isBoolean(value);
  // What Git LFS writes by itself.
  if (/^lfs\.(repositoryformatversion|.*\.access|.*\.locksverify)$/.test(key)) return false;
  return PROGRAM_SECTIONS.has(section) || PROGRAM_NAMES.has(name) ||
    /(command|cmd|hook|program)$/.test(name);
}

/** The settings in the output of `git config --list -z`. */
export function parseSettings(output: string): GitSetting[] {
  return output.split("\0").filter((entry) => entry !== "").map((entry) => {
    const end = entry.indexOf("\n");
    return end < 0
      ? { key: entry, value: undefined }
      : { key: entry.slice(0, end), value: entry.slice(end + 1) };
  });
}

/** A configuration file with these settings, for which git reads the same list again. */
export function renderSettings(settings: readonly GitSetting[]): string {
  let section = "";
  const lines: string[] = [];
  for (const { key, value } of settings) {
    const [first, last] = [key.indexOf("."), key.lastIndexOf(".")];
    const subsection = first === last ? "" : ` "${escaped(key.slice(first + 1, last))}"`;
    const header = `[${key.slice(0, first)}${subsection}]`;
    if (header !== section) lines.push(header);
    section = header;
    const name = key.slice(last + 1);
    lines.push(value === undefined ? `\t${name}` : `\t${name} = "${quoted(value)}"`);
  }
  return lines.map((line) => `${line}\n`).join("");
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, "\\$&");
}

function quoted(text: string): string {
  return escaped(text).replaceAll("\n", "\\n").replaceAll("\t", "\\t").replaceAll("\b", "\\b");
}

/** What the settings of a run that is over have to become, and which were undone. */
export interface Revision {
  readonly settings: readonly GitSetting[];
  /** Keys that the run added, changed or removed. */
  readonly undone: readonly string[];
}

/**
 * Undoes what a run did to settings that run programs, or that `isGuarded` names besides;
 * everything else stays as the run left it. `undefined` where there is nothing to undo.
 */
export function reviseSettings(
  before: readonly GitSetting[],
  after: readonly GitSetting[],
  isGuarded: (setting: GitSetting) => boolean = () => false,
): Revision | undefined {
  const isHeld = (setting: GitSetting) => runsProgram(setting) || isGuarded(setting);
  const [old, now] = [before.filter(isHeld), after.filter(isHeld)];
  const told = (settings: readonly GitSetting[]) =>
    settings.map(({ key, value }) => JSON.stringify([key, value ?? null]));
  const [oldTold, nowTold] = [told(old), told(now)];
  if (oldTold.join() === nowTold.join()) return undefined;
  const undone = [
    ...now.filter((_, index) => !oldTold.includes(nowTold[index]!)),
    ...old.filter((_, index) => !nowTold.includes(oldTold[index]!)),
  ].map(({ key }) => key);
  const kept = after.filter((setting) => !isHeld(setting));
  return { settings: [...kept, ...old], undone: [...new Set(undone)] };
}

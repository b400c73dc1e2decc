import { basename, dirname, join } from "../../core/path.ts";
import { compareConfigs } from "../../config/compare.ts";
import { CONFIG_DIRECTORY } from "../../config/discover.ts";
import { readConfigFile } from "../../config/load.ts";
import type { Answers } from "../../config/setup/answers.ts";
import type { SetupPlan } from "../../config/setup/plan.ts";
import { unifiedDiff } from "../../config/setup/unified_diff.ts";
import { parseToml } from "../../config/toml.ts";
import { escapeForTerminal, escapeLinesForTerminal } from "../../core/escape.ts";
import { shortPath } from "../policy/sources.ts";
import { hasColours, paintDiffLine } from "../style.ts";

/** A file of a pack that nobody has edited has nothing to show but its name. */
function packLine(path: string, verb: string, pack: string): string {
  return `${verb} ${path} (${pack})`;
}

/** What a plan changes, as lines for a person: escaped. */
export function planLines({ changes, kept }: SetupPlan, directory: string): string[] {
  const colours = hasColours(Deno.stdout);
  const lines: string[] = [];
  for (const { path, before, after, pack } of changes) {
    const file = shortPath(join(directory, path));
    if (pack !== undefined && before === undefined) {
      lines.push(escapeForTerminal(packLine(file, "new", pack)));
    } else if (pack !== undefined && after === undefined) {
      lines.push(escapeForTerminal(packLine(file, "remove", pack)));
    } else {
      const diff = escapeLinesForTerminal(unifiedDiff(file, before, after).trimEnd());
      lines.push(...diff.split("\n").map((line) => paintDiffLine(line, colours)));
    }
  }
  for (const path of kept) {
    lines.push(
      escapeForTerminal(
        `keep ${shortPath(join(directory, path))}: it has edits (--force replaces it)`,
      ),
    );
  }
  return lines;
}

/** What to do with a configuration that was written. */
export function nextSteps(file: string, { mode }: Answers, tlsDir: string | undefined): string {
  const isFound = basename(dirname(file)) === CONFIG_DIRECTORY;
  const flag = isFound ? "" : ` --config ${file}`;
  const steps = mode === "authority"
    ? [
      `firma authority agents add NAME${flag}   registers an agent`,
      `firma authority${flag}                   serves`,
      ...(tlsDir === undefined
        ? []
        : [`${tlsDir} holds client.crt, client.key and ca.crt for a Sidecar`]),
    ]
    : [`firma run${flag} -- COMMAND`];
  return [`Wrote ${file}.`, ...steps.map((step) => `  ${step}`), ""].map(escapeForTerminal).join(
    "\n",
  );
}

/** What a change of a configuration means for a Sidecar that runs. */
export function whatHolds(file: string, before: string): string {
  const now = readConfigFile(file);
  const [old, current] = [parseToml(before, file), parseToml(now.ok ? now.value.text : "", file)];
  const changes = old.ok && current.ok ? compareConfigs(old.value, current.value) : [];
  const waiting = changes.filter(({ applies }) => applies === "restart").map(({ key }) => key);
  const text = waiting.length === 0
    ? "A Sidecar that runs takes it over."
    : `A Sidecar that runs takes it over when it starts again: ${waiting.join(", ")}.`;
  return escapeForTerminal(`Wrote ${file}. ${text}`) + "\n";
}

import { versionInfo } from "../config/version_info.ts";

/** What `firma version` prints. */
export function versionText(json: boolean): string {
  const info = versionInfo();
  if (json) return `${JSON.stringify(info)}\n`;
  const { version, deno, target, compiled } = info;
  return `firma ${version} (deno ${deno}, ${target}${compiled ? "" : ", from source"})\n`;
}

/**
 * The answer to a command line that asks for nothing but the version; `undefined` for every
 * other. The full parser takes longer to load than everything else that this needs.
 */
export function versionAnswer(args: readonly string[]): string | undefined {
  switch (args.join(" ")) {
    case "version":
      return versionText(false);
    case "version --json":
      return versionText(true);
    case "--version":
      return `${versionInfo().version}\n`;
  }
}

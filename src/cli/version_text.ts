import { versionInfo } from "../config/version_info.ts";

/** What `firma version` prints. */
export function versionText(json: boolean): string {
  const info = versionInfo();
  if (json) return `${JSON.stringify(info)}\n`;
  const { version, deno, target, compiled } = info;
  return `firma ${version} (deno ${deno}, ${target}${compiled ? "" : ", from source"})\n`;
}

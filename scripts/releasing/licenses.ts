import { join } from "../../src/core/path.ts";
import type { EmbeddedPackage } from "./embedded.ts";

const LICENSE_FILE = /^(licen[cs]e|copying|notice)/i;
const RULE = "-".repeat(80);

/** Deno brings no list of what it is made of; its repository has one. */
const RUNTIME =
  `The runtime is Deno ${Deno.version.deno} (https://github.com/denoland/deno), MIT license, with V8
${
    Deno.version.v8.replace(/-.*/, "")
  } (https://v8.dev), BSD 3-clause license. What they are made of in turn, and under which
licenses, stands in Cargo.lock and in the source of that version of Deno.`;

/** The licenses of firma and of everything in its executable, as `firma licenses` prints them. */
export async function licenseTexts(
  packages: readonly EmbeddedPackage[],
  root: string,
): Promise<string> {
  const own = await Deno.readTextFile(join(root, "LICENSE"));
  const parts = ["firma, Apache-2.0", own.trim(), RULE, RUNTIME];
  for (const one of packages) {
    parts.push(RULE, `${one.name} ${one.version}, ${one.license}`, ...await textsOf(one));
  }
  return `${parts.join("\n\n")}\n`;
}

/** A package that brings no text says its license by name alone. */
async function textsOf({ directory }: EmbeddedPackage): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) {
    if (isFile && LICENSE_FILE.test(name)) names.push(name);
  }
  const texts = names.toSorted().map((name) => Deno.readTextFile(join(directory, name)));
  return (await Promise.all(texts)).map((text) => text.replaceAll("\r\n", "\n").trim());
}

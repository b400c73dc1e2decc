/**
 * The packages that services publish their operations in. They have a configuration and
 * a lock file of their own, so that neither the program nor its executable knows them.
 */
import assert from "node:assert/strict";
import pins from "./pins.json" with { type: "json" };

export type PackageName = keyof typeof pins.imports;

const CONFIG = new URL("pins.json", import.meta.url).pathname;
const PINNED = [
  "--frozen",
  `--config=${CONFIG}`,
  `--lock=${new URL("pins.lock", import.meta.url).pathname}`,
];

function deno(...args: string[]): string {
  const { success, stdout, stderr } = new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1" },
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

interface Info {
  readonly npmPackages: Readonly<
    Record<string, { readonly localPath: string }>
  >;
}

/** The directory that a pinned package is unpacked in, fetched when it is not there yet. */
export function packageDirectory(name: PackageName): string {
  const specifier = pins.imports[name];
  deno("cache", "--quiet", ...PINNED, specifier);
  const info: Info = JSON.parse(
    deno("info", "--json", ...PINNED, specifier),
  );
  const [, found] = Object.entries(info.npmPackages)
    .find(([id]) => `npm:${id}`.startsWith(specifier)) ?? [];
  assert.ok(found, `${specifier} is not unpacked`);
  return found.localPath;
}

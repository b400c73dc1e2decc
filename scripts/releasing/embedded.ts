import { join } from "../../src/core/path.ts";

/** A package that an executable of firma holds. */
export interface EmbeddedPackage {
  readonly name: string;
  readonly version: string;
  /** What its package.json says, an SPDX expression (https://spdx.dev). */
  readonly license: string;
  /** Of the archive that it was published as. */
  readonly sha512: Uint8Array;
  /** Where its files are on this machine. */
  readonly directory: string;
}

interface Graph {
  readonly modules: readonly { readonly kind?: string; readonly npmPackage?: string }[];
  readonly npmPackages: Readonly<Record<string, GraphPackage>>;
}

interface GraphPackage {
  readonly name: string;
  readonly version: string;
  readonly dependencies: readonly string[];
  readonly localPath: string;
}

/** The entry points that scripts/build embeds. */
const ENTRIES = ["main.ts", "src/sidecar/worker/main.ts"];

/**
 * The npm packages that the program imports, with those that they need, by name: the same that
 * `deno compile --exclude-unused-npm` embeds.
 */
export async function embeddedPackages(root: string): Promise<EmbeddedPackage[]> {
  const found = new Map<string, GraphPackage>();
  for (const entry of ENTRIES) {
    const { modules, npmPackages } = await graph(root, entry);
    const add = (id: string): void => {
      const entry = npmPackages[id];
      if (entry === undefined || found.has(id)) return;
      found.set(id, entry);
      entry.dependencies.forEach(add);
    };
    for (const { npmPackage } of modules) if (npmPackage !== undefined) add(npmPackage);
  }
  const { npm } = JSON.parse(await Deno.readTextFile(join(root, "deno.lock")));
  const packages = [...found].map(async ([id, { name, version, localPath }]) => {
    const { license } = JSON.parse(await Deno.readTextFile(join(localPath, "package.json")));
    if (typeof license !== "string") throw new Error(`Cannot tell the license of "${name}"`);
    const sha512 = Uint8Array.fromBase64(npm[id].integrity.replace(/^sha512-/, ""));
    return { name, version, license, sha512, directory: localPath };
  });
  return (await Promise.all(packages)).toSorted((a, b) => a.name < b.name ? -1 : 1);
}

async function graph(root: string, entry: string): Promise<Graph> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--frozen", entry],
    cwd: root,
    stderr: "inherit",
  });
  const { success, stdout } = await command.output();
  if (!success) throw new Error(`Cannot list what "${entry}" imports`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

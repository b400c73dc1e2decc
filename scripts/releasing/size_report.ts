import { fileURLToPath } from "node:url";
import { join } from "../../src/core/path.ts";
import { sha256 } from "../../src/core/sha256.ts";
import { embeddedPackages } from "./embedded.ts";

/** A part of an executable. */
export interface Part {
  readonly name: string;
  readonly bytes: number;
}

/** The files that scripts/build embeds beside the program, by their path in the project. */
const DATA = [
  ...["packs", "policies", "src/monitor/web/page", "src/demo/files"],
  ...["dist/build.json", "dist/licenses.txt"],
];

/** How large files are that an executable holds once, however often they are there. */
class Scales {
  readonly #seen = new Set<string>();

  async weigh(path: string): Promise<number> {
    if (!(await Deno.stat(path)).isDirectory) {
      const bytes = await Deno.readFile(path);
      const digest = sha256(bytes);
      if (this.#seen.has(digest)) return 0;
      this.#seen.add(digest);
      return bytes.length;
    }
    let sum = 0;
    for await (const { name, isSymlink } of Deno.readDir(path)) {
      if (!isSymlink) sum += await this.weigh(join(path, name));
    }
    return sum;
  }
}

/** What the executable `file` is made of, largest first; what nothing else explains is the runtime. */
export async function sizeReport(root: string, file: string): Promise<Part[]> {
  const whole = (await Deno.stat(file)).size;
  const scales = new Scales();
  const parts: Part[] = [
    { name: "firma's program", bytes: await scales.weigh(join(root, "dist/program")) },
  ];
  let data = 0;
  for (const path of DATA) data += await scales.weigh(join(root, path));
  parts.push({ name: "packs, policies, pages, licenses", bytes: data });
  for (const { name, version, directory } of await embeddedPackages(root)) {
    parts.push({ name: `${name} ${version}`, bytes: await scales.weigh(directory) });
  }
  const known = parts.reduce((total, { bytes }) => total + bytes, 0);
  return [{ name: "Deno, V8 and ICU", bytes: whole - known }, ...parts]
    .sort((a, b) => b.bytes - a.bytes);
}

/** The report as lines: small parts together, the whole last. */
export function reportLines(parts: readonly Part[]): string[] {
  const large = parts.filter(({ bytes }) => bytes >= 100_000);
  const small = parts.filter(({ bytes }) => bytes < 100_000);
  const total = (some: readonly Part[]) => some.reduce((all, { bytes }) => all + bytes, 0);
  const rows = [
    ...large,
    ...small.length === 0 ? [] : [{ name: `${small.length} smaller`, bytes: total(small) }],
    { name: "in all", bytes: total(parts) },
  ];
  return rows.map(({ name, bytes }) => `${(bytes / 1e6).toFixed(2).padStart(8)} MB  ${name}`);
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const [file = join(root, "dist/firma")] = Deno.args;
  console.log(reportLines(await sizeReport(root, file)).join("\n"));
}

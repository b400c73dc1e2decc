import { nearest } from "../core/nearest.ts";
import { err, ok, type Result } from "../core/result.ts";
import { programFile } from "./program_file.ts";

/** The kinds of files that ship with firma, and their file name extensions. */
const PACKS = {
  /** Cedar policies for a whole project. */
  posture: { directory: "packs/postures/", extension: ".cedar" },
  /** Mapping tables, one for each service. */
  mapping: { directory: "packs/mappings/", extension: ".toml" },
} as const;

/** A kind of pack. */
export type PackKind = keyof typeof PACKS;

/** The names of the packs of a kind, sorted. */
export function packNames(kind: PackKind): string[] {
  const { directory, extension } = PACKS[kind];
  return [...Deno.readDirSync(programFile(directory))]
    .filter((entry) => entry.isFile && entry.name.endsWith(extension))
    .map((entry) => entry.name.slice(0, -extension.length))
    .sort();
}

/** Reads a pack; an unknown name is an error that names the nearest one. */
export function readPack(kind: PackKind, name: string): Result<string> {
  const names = packNames(kind);
  if (!names.includes(name)) {
    const close = nearest(name, names);
    return err({
      code: "UNKNOWN_PACK",
      message: `Cannot find ${kind} "${name}": there is none of that name`,
      cure: close ? `did you mean "${close}"?` : `choose one of: ${names.join(", ")}`,
    });
  }
  const { directory, extension } = PACKS[kind];
  return ok(Deno.readTextFileSync(programFile(directory + name + extension)));
}

/** Reads a file of `policies/`: the Cedar schema or the default issuance policy. */
export function readPolicyFile(name: string): string {
  return Deno.readTextFileSync(programFile(`policies/${name}`));
}

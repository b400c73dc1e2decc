import { basename, join, relative } from "../../core/path.ts";
import { readPolicyFiles, versionOf } from "../../authority/policy_files.ts";
import { readPack } from "../../config/packs.ts";
import { readConfigFile } from "../../config/load.ts";
import type { PolicyBundle } from "../../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { schemaText } from "../../policy/schema.ts";

/** Policies with the files that they came from. */
export interface PolicySources {
  /** What people call them. */
  readonly label: string;
  readonly bundle: PolicyBundle;
  /** The path of each file of the bundle, by the name that it has there. */
  readonly paths: ReadonlyMap<string, string>;
  /** Directory or file to watch; absent for what ships with firma. */
  readonly watch?: string;
}

/** The path as it is shortest to read from here. */
export function shortPath(path: string): string {
  const within = relative(Deno.cwd(), path);
  return within === "" || within.startsWith("..") ? path : within;
}

/** Reads a directory as the Authority does, or a single file. */
export async function readPolicies(path: string): Promise<Result<PolicySources, FirmaError[]>> {
  if (!isDirectory(path)) {
    const file = readConfigFile(path);
    if (!file.ok) return err([file.error]);
    return ok(sources(shortPath(path), [{ file: basename(path), text: file.value.text }], path));
  }
  const read = await readPolicyFiles(path);
  if (read.kind === "gone") return err([read.error]);
  if (read.kind === "unusable") return err([...read.errors]);
  if (read.files.length > 0) return ok(sources(shortPath(path), read.files, path));
  return err([{
    code: "NO_POLICIES",
    message: `Cannot read policies from "${shortPath(path)}": it holds no .cedar file`,
  }]);
}

/** A posture that ships with firma. */
export function posturePolicies(name: string): Result<PolicySources, FirmaError[]> {
  const text = readPack("posture", name);
  if (!text.ok) return err([text.error]);
  return ok(sources(`posture ${name}`, [{ file: `${name}.cedar`, text: text.value }]));
}

function sources(label: string, policies: PolicyBundle["policies"], watch?: string): PolicySources {
  const isFile = watch !== undefined && !isDirectory(watch);
  const paths = policies.map(({ file }): [string, string] => {
    if (watch === undefined) return [file, `packs/postures/${file}`];
    return [file, shortPath(isFile ? watch : join(watch, file))];
  });
  return {
    label,
    bundle: {
      revision: 1,
      version: versionOf(policies),
      policies,
      schema: schemaText(),
      ttlSeconds: 30,
    },
    paths: new Map(paths),
    ...(watch !== undefined && { watch }),
  };
}

/** Whether there is a directory at `path`. */
export function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

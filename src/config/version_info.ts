import project from "../../deno.json" with { type: "json" };
import { programFile } from "./program_file.ts";

/** What this firma is, and what it is built on. */
export interface VersionInfo {
  readonly version: string;
  readonly deno: string;
  readonly v8: string;
  readonly typescript: string;
  /** Of the Cedar engine. */
  readonly cedar: string;
  /** The machine that it is built for, as a target triple. */
  readonly target: string;
  /** The commit that an executable was built from; absent where that is not known. */
  readonly commit?: string;
  /** Whether it is an executable, not run from source. */
  readonly compiled: boolean;
}

/** Written by scripts/build. */
const BUILD_FILE = "dist/build.json";

/** What is known of this firma. */
export function versionInfo(): VersionInfo {
  const { deno, v8, typescript } = Deno.version;
  const { target, standalone } = Deno.build;
  const commit = standalone ? builtFrom() : undefined;
  return {
    version: project.version,
    deno,
    v8,
    typescript,
    cedar: project.imports["@cedar-policy/cedar-wasm"].replace(/^.*@/, ""),
    target,
    ...(commit && { commit }),
    compiled: standalone,
  };
}

function builtFrom(): string | undefined {
  try {
    const { commit } = JSON.parse(Deno.readTextFileSync(programFile(BUILD_FILE)));
    return typeof commit === "string" && commit !== "" ? commit : undefined;
  } catch {
    return undefined; // built by another way
  }
}

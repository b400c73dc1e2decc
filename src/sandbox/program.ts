import { programFile } from "../config/program_file.ts";
import { join } from "../core/path.ts";
import { PRIVATE_DIR } from "./handoff.ts";
import type { Mount } from "./mounts.ts";

/** How the outer layer starts firma's own program. */
export interface InitProgram {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly mounts: readonly Mount[];
  /** Host paths that firma runs from. An agent that could write them would run on the host. */
  readonly sources: readonly string[];
}

const ENVIRONMENT = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  DENO_DIR: `${PRIVATE_DIR}/deno-dir`,
  DENO_NO_UPDATE_CHECK: "1",
};

/** `__init` of this very firma: the executable when compiled, Deno and the sources otherwise. */
export function initProgram(): InitProgram {
  const executable = Deno.execPath();
  if (Deno.build.standalone) {
    const target = `${PRIVATE_DIR}/firma`;
    return {
      command: [target, "__init"],
      environment: ENVIRONMENT,
      mounts: [{ kind: "bind", source: executable, target }],
      sources: [executable],
    };
  }
  const root = decodeURIComponent(programFile("").pathname).replace(/\/$/, "");
  const source = join(root, "src");
  const deno = `${PRIVATE_DIR}/deno`;
  const target = `${PRIVATE_DIR}/src`;
  return {
    command: [
      ...[deno, "run", "-A", "--no-prompt", "--quiet", "--unstable-net"],
      ...["--no-config", "--no-lock", "--no-remote", "--no-npm"],
      `${target}/sandbox/init/main.ts`,
    ],
    environment: ENVIRONMENT,
    mounts: [
      { kind: "bind", source: executable, target: deno },
      { kind: "bind", source, target },
    ],
    sources: [
      executable,
      ...["src", "main.ts", "deno.json", "deno.lock", "packs", "policies", "scripts"]
        .map((name) => join(root, name)),
    ],
  };
}

import { isAbsolute, join } from "../core/path.ts";
import type { Environment } from "../config/paths.ts";
import { err, ok, type Result } from "../core/result.ts";

/** Name of the unit. */
export const UNIT_NAME = "firma-sidecar.service";

/** What a unit of systemd is to run. */
export interface UnitOptions {
  /** The words that start firma. */
  readonly command: readonly string[];
  readonly configFile: string;
}

/**
 * The text of a user unit of systemd that runs a Sidecar in the foreground. The Sidecar finds its
 * directories from the environment of the user's service manager.
 */
export function unitText({ command, configFile }: UnitOptions): Result<string> {
  const words = [...command, "sidecar", "--config", configFile];
  // deno-lint-ignore no-control-regex -- controls are what must not be there
  const wrong = words.find((word) => /[\x00-\x1f\x7f]/.test(word));
  if (wrong !== undefined) {
    return err({
      code: "UNIT_IMPOSSIBLE",
      message: `Cannot write a unit: ${JSON.stringify(wrong)} holds a control character`,
      cure: "rename it",
    });
  }
  return ok(`[Unit]
Description=firma Sidecar

[Service]
Type=exec
ExecStart=${words.map(quote).join(" ")}
# It ends its Sidecar itself, and waits until the last record is written.
KillMode=mixed
TimeoutStopSec=15
Restart=on-failure
RestartSec=1
NoNewPrivileges=yes

[Install]
WantedBy=default.target
`);
}

/** Where the unit of this user belongs. */
export function unitFile(env: Environment): Result<string> {
  const config = env.XDG_CONFIG_HOME ?? (env.HOME && join(env.HOME, ".config"));
  if (config && isAbsolute(config)) return ok(join(config, "systemd/user", UNIT_NAME));
  return err({
    code: "NO_HOME",
    message: "Cannot find the directory of systemd: HOME is not an absolute path",
    cure: "set HOME",
  });
}

/** A word of a command line as systemd.service(5) reads it: nothing in it is expanded. */
function quote(word: string): string {
  const literal = word.replaceAll("\\", "\\\\").replaceAll('"', '\\"')
    .replaceAll("%", "%%").replaceAll("$", "$$$$");
  return /^[\w./:=,@+%-]+$/.test(word) ? literal : `"${literal}"`;
}

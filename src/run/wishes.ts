import { checkAuthorityUrl } from "../config/authority_url.ts";
import { nearest } from "../core/nearest.ts";
import { isAbsolute } from "../core/path.ts";
import { err, ok, type Result } from "../core/result.ts";

/** Flags of `firma run` whose values mean something only to it, as they were given. */
export interface WishFlags {
  readonly backend?: string;
  readonly sidecar?: string;
  readonly autostart?: boolean;
  readonly sidecarStartupTimeoutSecs?: string;
  readonly authority?: string;
  readonly authorityProfile?: string;
  readonly agent?: string;
  readonly monitor?: boolean;
  readonly capabilityFile?: string;
}

/** What the flags ask for. */
export interface Wishes {
  readonly sidecar: {
    readonly sidecar?: string | undefined;
    readonly noAutostart: boolean;
    readonly startupTimeoutMs: number;
    readonly needsOwn: boolean;
  };
  readonly authority: string | undefined;
  readonly agent: string | undefined;
  readonly monitor: boolean;
}

/** Must be 1 where calls may go out that policies deny. */
export const MONITOR_VARIABLE = "FIRMA_ALLOW_MONITOR_MODE";

const DEFAULT_STARTUP_SECS = 30;
const MOST_SECS = 24 * 3_600;

/** Where the sandboxes that OpenFirma knows run; here there is one. */
const BACKENDS: Readonly<Record<string, string>> = {
  vz: "macOS",
  wsl2: "Windows",
  firecracker: "Linux with KVM",
  hakoniwa: "Linux",
};

/** Reads the flags; `platform` is that of `Deno.build.os`. */
export function readWishes(
  flags: WishFlags,
  env: Readonly<Record<string, string | undefined>>,
  platform: string,
): Result<Wishes> {
  const { sidecar, authority, autostart, agent } = flags;
  const backend = checkBackend(flags.backend, platform);
  if (!backend.ok) return backend;
  const noAutostart = autostart === false;
  for (const [name, value] of [["--sidecar", sidecar], ["--authority", authority]] as const) {
    if (noAutostart && value === "local") {
      return usage(`Cannot use --no-autostart with ${name} local: that would have to be started`);
    }
  }
  const socket = sidecarSocket(sidecar);
  if (!socket.ok) return socket;
  const url = authorityUrl(authority);
  if (!url.ok) return url;
  if (noAutostart && url.value !== undefined) {
    return usage("Cannot use --no-autostart with --authority: a running Sidecar has its own");
  }
  const seconds = startupSeconds(flags.sidecarStartupTimeoutSecs);
  if (!seconds.ok) return seconds;
  if ((flags.authorityProfile ?? "developer") !== "developer") {
    return usage(
      `Cannot use --authority-profile "${flags.authorityProfile}": there is only "developer"`,
    );
  }
  if (agent !== undefined && flags.capabilityFile !== undefined) {
    return usage("Cannot use --agent with --capability-file: the token says whose it is");
  }
  if (flags.monitor && env[MONITOR_VARIABLE] !== "1") {
    return usage(
      `Cannot use --monitor: ${MONITOR_VARIABLE} is not 1`,
      `${MONITOR_VARIABLE}=1 firma run --monitor ..., where calls may go out that policies deny`,
    );
  }
  return ok({
    sidecar: {
      sidecar: socket.value,
      noAutostart,
      startupTimeoutMs: seconds.value * 1_000,
      needsOwn: url.value !== undefined,
    },
    authority: url.value,
    agent,
    monitor: flags.monitor ?? false,
  });
}

function checkBackend(backend: string | undefined, platform: string): Result<void> {
  if (backend === undefined || backend === "bwrap") return ok(undefined);
  const home = Object.hasOwn(BACKENDS, backend) ? BACKENDS[backend] : undefined;
  const close = nearest(backend, ["bwrap"]);
  return err({
    code: "UNSUPPORTED_BACKEND",
    message: home === undefined
      ? `Cannot use backend "${backend}": there is none of that name`
      : `Cannot use backend "${backend}" on ${platform}: it is one for ${home}, and not built`,
    cure: close === undefined ? "bwrap is what there is, on Linux" : 'did you mean "bwrap"?',
  });
}

function sidecarSocket(sidecar: string | undefined): Result<string | undefined> {
  if (sidecar === undefined || sidecar === "local") return ok(sidecar);
  const path = sidecar.startsWith("unix://") ? sidecar.slice("unix://".length) : "";
  if (isAbsolute(path)) return ok(path);
  return usage(
    `Cannot use --sidecar "${sidecar}": it is neither "local" nor unix:///path/of/control.sock`,
    "firma sidecar status shows where a Sidecar listens",
  );
}

function authorityUrl(authority: string | undefined): Result<string | undefined> {
  if (authority === undefined || authority === "local") return ok(authority);
  const checked = checkAuthorityUrl(authority);
  if ("value" in checked) return ok(authority);
  return usage(`Cannot use --authority: ${checked.state}`);
}

function startupSeconds(text: string | undefined): Result<number> {
  if (text === undefined || text === "0") return ok(DEFAULT_STARTUP_SECS);
  const seconds = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (seconds >= 1 && seconds <= MOST_SECS) return ok(seconds);
  return usage(
    `Cannot use --sidecar-startup-timeout-secs "${text}": it is not a number of seconds up to ${MOST_SECS}`,
  );
}

function usage(message: string, cure?: string): Result<never> {
  return err({ code: "USAGE", message, ...(cure !== undefined && { cure }) });
}

import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { isExecutable } from "./paths.ts";

/** Where bubblewrap may be. Never looked for on PATH: it runs on the host, and an agent may write to a directory there. */
export const PLACES: readonly string[] = [
  "/usr/bin/bwrap",
  "/usr/local/bin/bwrap",
  "/bin/bwrap",
  "/run/current-system/sw/bin/bwrap",
];

/** The first version with `--disable-userns`. */
const OLDEST = [0, 8, 0] as const;

const INSTALL =
  "install bubblewrap 0.8 or newer: apt-get install bubblewrap, dnf install bubblewrap";

/** Finds bubblewrap and checks that it is new enough; the result is its path. */
export async function findBwrap(places: readonly string[] = PLACES): Promise<Result<string>> {
  const path = places.find(isExecutable);
  if (path === undefined) {
    return err({
      code: "BWRAP_MISSING",
      message: "Cannot build the sandbox: bubblewrap (bwrap) is not installed",
      cure: INSTALL,
    });
  }
  const { stdout } = await new Deno.Command(path, { args: ["--version"], clearEnv: true }).output();
  const text = new TextDecoder().decode(stdout).trim();
  if (!isNewEnough(text)) {
    return err({
      code: "BWRAP_TOO_OLD",
      message: `Cannot build the sandbox: "${path}" is "${text}"`,
      cure: INSTALL,
    });
  }
  return ok(path);
}

/** Tells from the output of `bwrap --version` whether it has every option that is used. */
export function isNewEnough(version: string): boolean {
  const parts = version.match(/(\d+)\.(\d+)(?:\.(\d+))?/)?.slice(1).map((part) =>
    Number(part ?? 0)
  );
  if (!parts) return false;
  for (const [index, wanted] of OLDEST.entries()) {
    if (parts[index] !== wanted) return parts[index]! > wanted;
  }
  return true;
}

/** A setting of the kernel that can keep users from making namespaces. */
export interface NamespaceLock {
  readonly file: string;
  readonly closed: (value: string) => boolean;
  readonly cure: string;
  /** Root is not bound by it. */
  readonly sparesRoot?: boolean;
}

/** Settings of the kernel that keep users from making namespaces, and how to change them. */
export const NAMESPACE_LOCKS: readonly NamespaceLock[] = [
  {
    file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    closed: (value) => value === "1",
    sparesRoot: true,
    cure: "give bwrap an AppArmor profile that permits user namespaces, or as root: " +
      "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  },
  {
    file: "/proc/sys/kernel/unprivileged_userns_clone",
    closed: (value) => value === "0",
    sparesRoot: true,
    cure: "as root: sysctl -w kernel.unprivileged_userns_clone=1",
  },
  {
    file: "/proc/sys/user/max_user_namespaces",
    closed: (value) => value === "0",
    cure: "as root: sysctl -w user.max_user_namespaces=15000",
  },
];

/** Why a sandbox did not come up, as far as the machine's settings tell. */
export function diagnoseStart(detail: string): FirmaError {
  for (const { file, closed, cure, sparesRoot } of NAMESPACE_LOCKS) {
    if (sparesRoot && Deno.uid() === 0 || !closed(readSetting(file))) continue;
    return {
      code: "NAMESPACES_FORBIDDEN",
      message: `Cannot build the sandbox: this machine forbids user namespaces (${file})`,
      cure,
    };
  }
  return {
    code: "SANDBOX_FAILED",
    message: `Cannot build the sandbox: ${detail}`,
    cure: "see the lines of bwrap above; in a container, namespaces must be permitted " +
      "(docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined)",
  };
}

function readSetting(file: string): string {
  try {
    return Deno.readTextFileSync(file).trim();
  } catch {
    return "";
  }
}

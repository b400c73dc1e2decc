import { NAMESPACE_LOCKS } from "../../sandbox/bwrap.ts";
import type { Check } from "../check.ts";
import { asRoot } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";
import type { World } from "../world.ts";

const APPARMOR_LOCK = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns";

/** Where Ubuntu and others put a profile that lets bubblewrap make user namespaces. */
const PROFILES = [
  "/etc/apparmor.d/bwrap-userns-restrict",
  "/etc/apparmor.d/bwrap",
  "/etc/apparmor.d/local/bwrap",
];

/** The settings of the kernel that decide whether this user can build a sandbox. */
export const namespacesCheck: Check = {
  category: "user namespaces",
  run(world) {
    const { setting, uid } = world;
    const closed = NAMESPACE_LOCKS.filter((lock) =>
      lock.file !== APPARMOR_LOCK && !(lock.sparesRoot && uid === 0) &&
      lock.closed(setting(lock.file)?.trim() ?? "")
    );
    return closed.length === 0
      ? [fine(uid === 0 ? "permitted: this is root" : "permitted")]
      : closed.map(({ file }): Finding => ({
        status: "fail",
        reason: `this machine forbids them: ${file} is ${setting(file)?.trim()}`,
        cure: openCommand(file, world),
      }));
  },
};

/** What AppArmor permits of user namespaces. */
export const apparmorCheck: Check = {
  category: "apparmor",
  run(world) {
    const value = world.setting(APPARMOR_LOCK)?.trim();
    if (value === undefined) return [fine("it does not restrict user namespaces here")];
    if (value !== "1") return [fine(`it restricts no user namespaces: ${APPARMOR_LOCK} is 0`)];
    if (world.uid === 0) return [fine("it restricts user namespaces, but not those of root")];
    const profile = PROFILES.find((path) => world.setting(path) !== undefined);
    if (profile !== undefined) {
      // Some of these take away from what bwrap starts what firma's outer layer needs.
      const detail = "whether that is enough, the check of the sandbox tells";
      return [fine(`it restricts user namespaces, and bwrap has a profile: ${profile}`, detail)];
    }
    return [{
      status: "fail",
      reason: "it forbids user namespaces, and bwrap has no profile that permits them",
      cure: openCommand(APPARMOR_LOCK, world),
    }];
  },
};

/** The opposite of each closed value. */
const OPEN: Readonly<Record<string, string>> = {
  [APPARMOR_LOCK]: "0",
  "/proc/sys/kernel/unprivileged_userns_clone": "1",
  "/proc/sys/user/max_user_namespaces": "15000",
};

function openCommand(file: string, { uid }: World): string {
  const name = file.replace("/proc/sys/", "").replaceAll("/", ".");
  return asRoot(`sysctl -w ${name}=${OPEN[file] ?? "1"}`, uid);
}

import { shellWord } from "../core/shell.ts";
import type { World } from "./world.ts";

/** A command that only root may run, as this user types it. */
export function asRoot(command: string, uid: number | null): string {
  return uid === 0 ? command : `sudo ${command}`;
}

/** How packages are installed, by the names that os-release(5) gives systems and their kin. */
const INSTALLERS: Readonly<Record<string, string>> = {
  debian: "apt-get install -y",
  ubuntu: "apt-get install -y",
  fedora: "dnf install -y",
  rhel: "dnf install -y",
  arch: "pacman -S --noconfirm",
  alpine: "apk add",
  suse: "zypper install -y",
  opensuse: "zypper install -y",
};

/** The command that installs a package on this system. */
export function installCommand(name: string, { setting, uid }: World): string {
  const release = setting("/etc/os-release") ?? "";
  const value = (key: string) =>
    new RegExp(`^${key}="?([^"\\n]*)"?$`, "m").exec(release)?.[1]?.split(" ") ?? [];
  const known = [...value("ID"), ...value("ID_LIKE")].find((id) => Object.hasOwn(INSTALLERS, id));
  return asRoot(`${INSTALLERS[known ?? "debian"]} ${name}`, uid);
}

/** The command that opens a file at a line. */
export function editCommand(file: string, line?: number): string {
  return `\${EDITOR:-vi} ${line === undefined ? "" : `+${line} `}${shellWord(file)}`;
}

/** The command that opens a file where an error is. */
export function editAt(
  at: { readonly file: string; readonly line?: number } | undefined,
  otherwise: string,
): string {
  return editCommand(at?.file ?? otherwise, at?.line);
}

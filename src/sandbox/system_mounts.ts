import { join } from "../core/path.ts";
import { type Mount, readOnly } from "./mounts.ts";
import { entryAt } from "./paths.ts";

/** Programs and libraries. Nothing else of the root directory is shown. */
const PROGRAMS = [
  ...["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt"],
  ...["/nix/store", "/nix/var/nix/profiles", "/gnu/store"],
  // Which packages are installed.
  ...["/var/lib/dpkg", "/var/lib/rpm"],
];

/**
 * What root's agent may read of `/etc`. It is the owner of everything there, `shadow` and host
 * keys among it, so nothing is shown that is not named.
 */
const ETC_FOR_ROOT = [
  ...["alternatives", "bash.bashrc", "bash_completion.d", "bindresvport.blacklist"],
  ...["ca-certificates", "ca-certificates.conf", "crypto-policies", "dconf", "debian_version"],
  ...["default/locale", "environment.d", "ethertypes", "fedora-release", "fonts", "gai.conf"],
  ...["gitconfig", "gnutls", "groff", "gss", "host.conf", "hostname", "inputrc", "issue"],
  ...["java", "java-11-openjdk", "java-17-openjdk", "java-21-openjdk", "kernel", "ld.so.cache"],
  ...["ld.so.conf", "ld.so.conf.d", "libnl-3", "locale.alias", "locale.conf", "localtime"],
  ...["login.defs", "lsb-release", "machine-id", "magic", "magic.mime", "mailcap"],
  ...["manpath.config", "maven", "mime.types", "nanorc", "netconfig", "networks", "os-release"],
  ...["perl", "php", "pip.conf", "pkcs11", "profile", "profile.d", "protocols", "python3"],
  ...["redhat-release", "rpc", "ruby", "services", "sgml", "shells", "skel", "ssl/certs"],
  ...["ssl/cert.pem", "ssl/ca-bundle.pem", "ssl/openssl.cnf", "pki/ca-trust", "pki/java"],
  ...["pki/tls/cert.pem", "pki/tls/certs", "pki/tls/openssl.cnf", "terminfo", "timezone"],
  ...["vim", "wgetrc", "xdg", "xml", "zsh", "npmrc"],
];

/** Whether the sandbox of this user shows `/etc` as it is, and not only what is named of it. */
export function showsAllOfEtc(uid: number): boolean {
  return uid !== 0;
}

/** The system, read-only, as far as any program needs it. */
export function systemMounts(uid: number): Mount[] {
  const etc = showsAllOfEtc(uid)
    ? [readOnly("/etc")]
    : ETC_FOR_ROOT.map((name) => join("/etc", name)).filter(isPublic).flatMap(asOnHost);
  return [...PROGRAMS.flatMap(asOnHost), ...etc];
}

/** What other users may read too: an npmrc, say, may hold a token. */
function isPublic(path: string): boolean {
  return ((entryAt(path)?.mode ?? 0) & 0o004) !== 0;
}

/** A symbolic link stays one: `/etc/localtime` names the time zone by where it points. */
function asOnHost(path: string): Mount[] {
  const entry = entryAt(path);
  if (!entry) return [];
  return entry.isSymlink
    ? [{ kind: "symlink", target: path, pointsTo: Deno.readLinkSync(path) }]
    : [readOnly(path)];
}

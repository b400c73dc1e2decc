/** Files of `/etc` that say something else in the sandbox than on the host; all pure. */

/** Names are looked up at firma's stub. */
export const RESOLV_CONF = "nameserver 127.0.0.1\noptions timeout:2 attempts:2\n";

/** Only this machine; every other name goes to the stub and is looked up by the Sidecar. */
export function hostsFile(hostname: string): string {
  return `127.0.0.1 localhost ${hostname}\n::1 localhost ip6-localhost ip6-loopback\n`;
}

/**
 * The host's `nsswitch.conf` with sources that work in the sandbox: the daemons behind the others
 * are out of reach there.
 */
export function nsswitchConf(host: string): string {
  const replaced = new Map([["passwd", "files"], ["group", "files"], ["hosts", "files dns"]]);
  const lines = host.split("\n").filter((line) => {
    const database = /^\s*(\w+)\s*:/.exec(line)?.[1];
    return line.trim() !== "" && !line.startsWith("#") && !replaced.has(database ?? "");
  });
  const ours = [...replaced].map(([database, source]) => `${database}: ${source}`);
  return [...ours, ...lines].join("\n") + "\n";
}

/** Who runs the command. */
export interface Identity {
  readonly uid: number;
  readonly gid: number;
  readonly user: string;
  readonly home: string;
  readonly shell: string;
}

/** The host's `passwd`, with an entry for the user where a directory service would have it. */
export function passwdFile(host: string, { uid, gid, user, home, shell }: Identity): string {
  return withEntry(host, String(uid), `${user}:x:${uid}:${gid}::${home}:${shell}`);
}

/** The host's `group`, with an entry for the user's group where it has none. */
export function groupFile(host: string, { gid, user }: Identity): string {
  return withEntry(host, String(gid), `${user}:x:${gid}:`);
}

function withEntry(file: string, id: string, entry: string): string {
  const lines = file.split("\n").filter((line) => line !== "");
  const known = lines.some((line) => line.split(":")[2] === id);
  return [...lines, ...(known ? [] : [entry])].join("\n") + "\n";
}

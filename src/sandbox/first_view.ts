import { HOST_VIEW, NEW_VIEW, PRIVATE_DIR } from "./handoff.ts";
import { type Mount, mountArguments } from "./mounts.ts";

const MOUNT_SETATTR = 442n;
const OPEN_TREE = 428n;
const EINVAL = 22;
const NO_FLAG = 0xffff_ffffn;

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  syscall: { parameters: ["i64", "i64", "buffer", "u64", "buffer", "usize"], result: "i64" },
} as const;

/**
 * Whether `__init` can build its own file system here: whether the kernel has the calls for that
 * (Linux 5.12), and lets them be made.
 */
export function canBuildView(): boolean {
  const { symbols: libc } = Deno.dlopen("libc.so.6", SYMBOLS);
  const nothing = new Uint8Array(1);
  // Flags that there will never be: a call that exists says so before it looks at anything else.
  const exists = (number: bigint) =>
    libc.syscall(number, -1n, nothing, NO_FLAG, nothing, 0n) === -1n &&
    new Deno.UnsafePointerView(libc.__errno_location()!).getInt32() === EINVAL;
  return [MOUNT_SETATTR, OPEN_TREE].every(exists);
}

/** Made by bwrap, or of no use to `__init`. */
const NOT_SHOWN: ReadonlySet<string> = new Set(["proc", "dev", "run", "tmp"]);

/**
 * What `__init` starts in, as options of bwrap: all of the host, below one directory, with links to
 * it where programs look for their libraries. It sees what this process sees, and hears nobody but
 * this process until it has exchanged that for what the command is to see. `own` is what it starts
 * from, and where it meets this process.
 */
export function firstView(own: readonly Mount[], handoff: Mount): string[] {
  const taken = [...NOT_SHOWN, HOST_VIEW.slice(1), NEW_VIEW.slice(1)];
  const links = [...Deno.readDirSync("/")]
    .filter(({ name, isFile }) => !isFile && !taken.includes(name))
    .map(({ name }): Mount => ({
      kind: "symlink",
      target: `/${name}`,
      pointsTo: `${HOST_VIEW.slice(1)}/${name}`,
    }));
  return [
    // With its devices, which are in the next view too.
    ...["--dev-bind", "/", HOST_VIEW],
    ...mountArguments([
      ...links,
      { kind: "devices", target: "/dev" },
      { kind: "processes", target: "/proc" },
      { kind: "memory", target: PRIVATE_DIR, mode: "0700" },
      ...own,
      handoff,
    ]),
  ];
}

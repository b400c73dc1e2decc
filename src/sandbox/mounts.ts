/** One step of building the sandbox's file system; later steps cover earlier ones. */
export type Mount =
  /** What lies at `source` on the host appears at `target`; read-only unless `writable`. */
  | {
    readonly kind: "bind";
    readonly source: string;
    readonly target: string;
    readonly writable?: boolean;
  }
  /** A fresh directory in memory that is gone with the sandbox. */
  | { readonly kind: "memory"; readonly target: string; readonly mode?: string }
  /** Reads as empty, and every write fails with EROFS. */
  | { readonly kind: "sealed"; readonly target: string }
  | { readonly kind: "directory"; readonly target: string }
  | { readonly kind: "symlink"; readonly target: string; readonly pointsTo: string }
  | { readonly kind: "devices" | "processes"; readonly target: string }
  /** No further change to what was mounted at `target`; what is mounted below it stays as it is. */
  | { readonly kind: "freeze"; readonly target: string };

/** A read-only view of a host path at its own place. */
export function readOnly(path: string): Mount {
  return { kind: "bind", source: path, target: path };
}

/** The host path itself, at its own place. */
export function writable(path: string): Mount {
  return { kind: "bind", source: path, target: path, writable: true };
}

/** The mounts as options of bwrap, in order. */
export function mountArguments(mounts: readonly Mount[]): string[] {
  return mounts.flatMap((mount) => {
    switch (mount.kind) {
      case "bind":
        return [mount.writable ? "--bind" : "--ro-bind", mount.source, mount.target];
      case "memory":
        return ["--perms", mount.mode ?? "0755", "--tmpfs", mount.target];
      case "sealed":
        return ["--perms", "0555", "--tmpfs", mount.target, "--remount-ro", mount.target];
      case "directory":
        return ["--dir", mount.target];
      case "symlink":
        return ["--symlink", mount.pointsTo, mount.target];
      case "devices":
        return ["--dev", mount.target];
      case "processes":
        return ["--proc", mount.target];
      case "freeze":
        return ["--remount-ro", mount.target];
    }
  });
}

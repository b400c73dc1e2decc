import { type Environment, runsDir } from "../config/paths.ts";
import { snapshotsDir } from "./store.ts";

/**
 * The permissions of the watch over a workspace: it writes snapshots, and reaches no network,
 * program or variable. The workspace itself it opens by system calls (`ffi`), which follow no link
 * that an agent puts in their way.
 */
export function watchPermissions(env: Environment): Deno.PermissionOptionsObject {
  return {
    read: [snapshotsDir(env), runsDir(env)],
    write: [snapshotsDir(env)],
    ffi: true,
    sys: ["uid"],
    net: false,
    env: false,
    run: false,
    import: false,
  };
}

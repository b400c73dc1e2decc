import type { Command } from "commander";
import { controlSockets } from "../../daemon/control_sockets.ts";
import { environment } from "../environment.ts";

/** Flags that every command of `firma token` takes. */
export interface TokenFlags {
  readonly socket?: string;
  readonly stateDir?: string;
}

/** Adds the flags that say which Sidecars are meant. */
export function withTokenFlags(command: Command): Command {
  return command
    .option("--socket <path>", "control socket of one Sidecar alone (default: all of this user)")
    .option("--state-dir <path>", "directory of running processes (default: FIRMA_STATE_DIR)");
}

/** The control sockets that are meant. */
export function chosenSockets(flags: TokenFlags): string[] {
  if (flags.socket !== undefined) return [flags.socket.replace(/^unix:\/\//, "")];
  return controlSockets(environment(flags));
}

import { type Environment, isOwnDirectory, runsDir, stateDir } from "../../config/paths.ts";
import { join } from "../../core/path.ts";
import { shellWord } from "../../core/shell.ts";
import { runDirectories } from "../../run/run_directory.ts";
import { type KeptRecord, otherRecords, withSealLock } from "../../sandbox/seals/record.ts";
import { recoverSeals } from "../../sandbox/seals/release.ts";
import type { Check } from "../check.ts";
import { type Finding, fine } from "../finding.ts";

/** Directories of runs whose process is gone. */
export const runsCheck: Check = {
  category: "run directories",
  run(world) {
    const dead = abandoned(world.env);
    const workspaces = new Set(killed(world.env).map(({ record }) => record.workspace));
    if (dead.length + workspaces.size === 0) return [fine("none is left over")];
    const unsealed = [...workspaces].map((workspace): Finding => ({
      status: "warn",
      reason: `a run that was killed has left in ${workspace} what it put there`,
      cure: "firma doctor --fix",
      repair: {
        done: `set right ${workspace}`,
        apply() {
          const runs = runsDir(world.env);
          return withSealLock(runs, () => recoverSeals(runs, ""));
        },
      },
    }));
    return dead.map((path): Finding => ({
      status: "warn",
      reason: `${path} is left over from a run that is gone`,
      cure: "firma doctor --fix",
      repair: {
        done: `removed ${path}`,
        apply() {
          // It may have been taken away, or another may be there now.
          if (abandoned(world.env).includes(path)) Deno.removeSync(path, { recursive: true });
        },
      },
    })).concat(unsealed);
  },
};

/** Sockets in the state directory that nobody listens at. */
export const socketsCheck: Check = {
  category: "sockets",
  async run(world) {
    const state = stateDir(world.env);
    const directories = isOwnDirectory(state) ? [state, join(state, "daemon")] : [];
    const sockets = directories.flatMap(socketsIn);
    const dead: Socket[] = [];
    for (const socket of sockets) {
      const answer = await world.knock({ transport: "unix", path: socket.path });
      if (answer === "refused") dead.push(socket); // one that only is slow lives
    }
    if (dead.length === 0) {
      return [fine(sockets.length === 0 ? "none" : `${sockets.length}, all in use`)];
    }
    return dead.map(({ path, inode }): Finding => ({
      status: "warn",
      reason: `nobody listens at ${path}: whoever did is gone`,
      cure: `rm ${shellWord(path)}`,
      repair: {
        done: `removed ${path}`,
        apply() {
          // Whoever started meanwhile has put another there.
          if (Deno.lstatSync(path).ino === inode) Deno.removeSync(path);
        },
      },
    }));
  },
};

interface Socket {
  readonly path: string;
  readonly inode: number | null;
}

function socketsIn(directory: string): Socket[] {
  if (!isOwnDirectory(directory)) return []; // told by the check of directories
  try {
    return [...Deno.readDirSync(directory)].flatMap(({ name }) => {
      const path = join(directory, name);
      const { isSocket, ino } = Deno.lstatSync(path);
      return isSocket ? [{ path, inode: ino }] : [];
    });
  } catch {
    return [];
  }
}

/** Runs that were killed, and whose workspaces the next run would set right. */
function killed(env: Environment): KeptRecord[] {
  if (![stateDir(env), runsDir(env)].every(isOwnDirectory)) return [];
  return otherRecords(runsDir(env), "").filter(({ abandoned }) => abandoned);
}

function abandoned(env: Environment): string[] {
  return runDirectories(env).filter(({ abandoned }) => abandoned).map(({ path }) => path);
}

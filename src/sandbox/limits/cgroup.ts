import { join } from "../../core/path.ts";
import type { Controller } from "./plan.ts";

/** How often the kernel refused something in a cgroup, or ended something. */
export interface CgroupFindings {
  /** Processes that it ended for want of memory. */
  readonly killed: number;
  /** Processes that it did not let begin. */
  readonly refused: number;
}

/** The files of a hierarchy; the real one but in tests. All throw what Deno's own calls throw. */
export interface CgroupFiles {
  mkdir(path: string): void;
  read(path: string): string;
  /** Into a file that is there. */
  write(path: string, text: string): void;
  rmdir(path: string): void;
  list(path: string): readonly string[];
  /** How long ago it was made, in milliseconds. */
  age(path: string): number;
}

const FILES: CgroupFiles = {
  mkdir: (path) => Deno.mkdirSync(path),
  read: (path) => Deno.readTextFileSync(path),
  write: (path, text) => Deno.writeTextFileSync(path, text, { create: false }),
  rmdir: (path) => Deno.removeSync(path),
  list: (path) => [...Deno.readDirSync(path)].map(({ name }) => name),
  age: (path) => Date.now() - (Deno.statSync(path).mtime?.getTime() ?? Date.now()),
};

const PREFIX = "firma-";

/** How often its removal is tried again, and after how many milliseconds. */
const REMOVALS = 20;
const REMOVAL_MS = 10;

/** A younger one may be about to be joined, in milliseconds. */
const YOUNG = 60_000;

/** A cgroup for one sandbox. */
export class Cgroup {
  readonly path: string;
  readonly controllers: readonly Controller[];
  readonly #files: CgroupFiles;

  private constructor(path: string, controllers: readonly Controller[], files: CgroupFiles) {
    this.path = path;
    this.controllers = controllers;
    this.#files = files;
  }

  /**
   * Makes one in `parent`; `undefined` where this user may not, or where it would have none of
   * the wanted controllers.
   */
  static make(
    parent: string,
    name: string,
    wanted: readonly Controller[],
    files: CgroupFiles = FILES,
  ): Cgroup | undefined {
    const path = join(parent, `${PREFIX}${name}`);
    try {
      files.mkdir(path);
    } catch {
      return undefined;
    }
    try {
      // Writes nothing; who may not open it may not move processes to the new one either.
      files.write(join(parent, "cgroup.procs"), "");
      const has = () => files.read(join(path, "cgroup.controllers")).trim().split(" ");
      for (const controller of wanted) {
        if (!has().includes(controller)) handDown(parent, controller, files);
      }
      const controllers = wanted.filter((controller) => has().includes(controller));
      if (controllers.length > 0) return new Cgroup(path, controllers, files);
    } catch {
      // Not ours to use.
    }
    files.rmdir(path);
    return undefined;
  }

  /** Where whoever writes `0` joins. */
  get procs(): string {
    return join(this.path, "cgroup.procs");
  }

  /** Sets limits: files and what is written there. An absent `memory.swap.max` has no swap. */
  set(values: Readonly<Record<string, string>>): void {
    for (const [name, value] of Object.entries(values)) {
      try {
        this.#files.write(join(this.path, name), value);
      } catch (cause) {
        if (name !== "memory.swap.max" || !(cause instanceof Deno.errors.NotFound)) throw cause;
      }
    }
  }

  /** What the kernel did about its limits so far. */
  findings(): CgroupFindings {
    const count = (file: string, name: string) => {
      try {
        const text = this.#files.read(join(this.path, file));
        return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
      } catch {
        return 0; // without that controller
      }
    };
    return { killed: count("memory.events", "oom_kill"), refused: count("pids.events", "max") };
  }

  /** Removes it, now or in the moment in which its last process is gone. */
  async remove(): Promise<void> {
    for (let attempt = 0; attempt < REMOVALS; attempt++) {
      try {
        return this.#files.rmdir(this.path);
      } catch (cause) {
        if (cause instanceof Deno.errors.NotFound) return;
        await new Promise((done) => setTimeout(done, REMOVAL_MS));
      }
    }
  }

  /** Removes those in `parent` that killed runs left behind: the kernel keeps the others. */
  static removeAbandoned(parent: string, files: CgroupFiles = FILES): void {
    try {
      for (const name of files.list(parent)) {
        if (!name.startsWith(PREFIX)) continue;
        try {
          const path = join(parent, name);
          if (files.age(path) > YOUNG) files.rmdir(path);
        } catch {
          // In use.
        }
      }
    } catch {
      // Nobody could have made any.
    }
  }
}

function handDown(parent: string, controller: Controller, files: CgroupFiles): void {
  try {
    files.write(join(parent, "cgroup.subtree_control"), `+${controller}`);
  } catch {
    // It has none, or processes of its own.
  }
}

import assert from "node:assert/strict";
import { join } from "node:path";
import { type SealedWorkspace, sealWorkspace } from "../../../src/sandbox/seals/seal.ts";
import { unwrap } from "../../../src/core/result.ts";

/** A project with a repository, and run directories beside it. */
export class Project implements Disposable {
  readonly root = Deno.realPathSync(Deno.makeTempDirSync({ prefix: "firma-seals-" }));
  readonly workspace = join(this.root, "project");
  #runs = 0;
  #locks: Deno.FsFile[] = [];

  constructor() {
    Deno.mkdirSync(this.workspace);
    Deno.mkdirSync(join(this.root, "run"));
  }

  /** Of a run that lives until {@linkcode kill} is called. */
  newRun(): string {
    const runDir = join(this.root, "run", `run-${++this.#runs}`);
    Deno.mkdirSync(runDir);
    const lock = Deno.openSync(join(runDir, "owner.lock"), { write: true, create: true });
    lock.lockSync(true);
    this.#locks.push(lock);
    return runDir;
  }

  /** Ends all runs as SIGKILL does. */
  kill(): void {
    for (const lock of this.#locks.splice(0)) lock.close();
  }

  seal(runDir = this.newRun(), allowWrite: string[] = []): SealedWorkspace {
    return unwrap(sealWorkspace({ workspace: this.workspace, runDir, allowWrite }));
  }

  path(name: string): string {
    return join(this.workspace, name);
  }

  write(name: string, text: string, mode = 0o644): void {
    Deno.mkdirSync(join(this.path(name), ".."), { recursive: true });
    Deno.writeTextFileSync(this.path(name), text, { mode });
  }

  read(name: string): string {
    return Deno.readTextFileSync(this.path(name));
  }

  git(directory: string, ...args: string[]): void {
    const { success, stderr } = new Deno.Command("git", {
      args: ["-C", this.path(directory), ...args],
      env: { GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" },
    }).outputSync();
    assert.ok(success, new TextDecoder().decode(stderr));
  }

  /** Names in the workspace, those in directories too. */
  names(directory = "."): string[] {
    return [...Deno.readDirSync(this.path(directory))].flatMap(({ name, isDirectory }) => {
      const path = directory === "." ? name : `${directory}/${name}`;
      return isDirectory ? [path, ...this.names(path)] : [path];
    }).sort();
  }

  [Symbol.dispose](): void {
    this.kill();
    Deno.removeSync(this.root, { recursive: true });
  }
}

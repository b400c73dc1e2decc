import assert from "node:assert/strict";
import { join } from "node:path";
import type { Check } from "../../src/doctor/check.ts";
import type { Finding, Status } from "../../src/doctor/finding.ts";
import { type Project, readProject } from "../../src/doctor/project.ts";
import type { World } from "../../src/doctor/world.ts";
import { readConfigFile } from "../../src/config/load.ts";
import { recordTrust } from "../../src/config/trust.ts";
import { newId } from "../../src/core/id.ts";
import { unwrap } from "../../src/core/result.ts";
import { misunderstood } from "../fixtures/command_line.ts";

/** A machine of a test's own: a home, a project, and no answer to any question but what is given. */
export class Place implements Disposable {
  readonly base = Deno.makeTempDirSync({ prefix: "firma-doctor-" });
  readonly home = join(this.base, "home");
  readonly directory = join(this.home, "project");
  readonly agentId = newId("agt");
  readonly env: World["env"] = {
    HOME: this.home,
    XDG_RUNTIME_DIR: join(this.base, "runtime"),
    PATH: "/usr/bin:/bin",
  };

  constructor() {
    Deno.mkdirSync(this.directory, { recursive: true });
    Deno.mkdirSync(join(this.base, "runtime"), { mode: 0o700 });
  }

  get stateDir(): string {
    return join(this.base, "runtime/firma");
  }

  get dataDir(): string {
    return join(this.home, ".local/share/firma");
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** Writes a file of the project, with its directories. */
  write(name: string, text: string): string {
    const path = this.path(name);
    Deno.mkdirSync(join(path, ".."), { recursive: true });
    Deno.writeTextFileSync(path, text);
    return path;
  }

  /** Writes a project with one mapped host; `more` goes to the end of its `firma.toml`. */
  configure({ more = "", trusted = true }: { more?: string; trusted?: boolean } = {}): void {
    this.write(
      ".firma/mappings/own.toml",
      '[[rules]]\nhost = "mapped.test"\npath = "/**"\naction_class = "code.read"\n',
    );
    this.write(".firma/policies/own.cedar", "permit(principal, action, resource);\n");
    this.write(".firma/issuance-policies/own.cedar", "permit(principal, action, resource);\n");
    const file = this.write(
      ".firma/firma.toml",
      `[sidecar.authority]\nagent_id = "${this.agentId}"\n\n[sidecar.mapping]\n` +
        `rules_paths = ["mappings/own.toml"]\n${more}\n`,
    );
    if (trusted) unwrap(recordTrust(unwrap(readConfigFile(file)), [], "command", this.env));
  }

  project(): Project {
    return readProject({ flag: undefined, env: this.env, cwd: this.directory });
  }

  world(given: Partial<World> = {}): World {
    return {
      env: this.env,
      uid: Deno.uid(),
      timeoutMs: 500,
      now: () => Date.now(),
      setting: () => undefined,
      findProgram: () => undefined,
      execute: () => Promise.resolve(undefined),
      lookup: () => Promise.reject(new Error("no such host")),
      knock: () => Promise.resolve("refused"),
      freeBytes: () => Promise.resolve(2 ** 40),
      project: () => this.project(),
      preflight: () => Promise.reject(new Error("not asked for")),
      limits: () => [],
      ...given,
    };
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.base, { recursive: true });
  }
}

/** Makes one check; every finding that is not `ok` must have a command that a shell understands. */
export async function found(check: Check, world: World): Promise<readonly Finding[]> {
  const findings = await check.run(world);
  assert.ok(findings.length > 0, "a check always says something");
  for (const { status, cure, reason } of findings) {
    assert.ok(!reason.includes("\n"), reason);
    if (status === "ok") continue;
    assert.ok(cure !== undefined, `no cure: ${reason}`);
    await isOneCommand(cure);
  }
  return findings;
}

/** The statuses of all findings of a check. */
export async function statuses(check: Check, world: World): Promise<Status[]> {
  return (await found(check, world)).map(({ status }) => status);
}

/** Fails unless a shell takes the text for a command on one line. */
export async function isOneCommand(cure: string): Promise<void> {
  assert.ok(!cure.includes("\n"), cure);
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-n", "-c", cure],
    stderr: "null",
  }).output();
  assert.ok(success, cure);
  if (cure.startsWith("firma ")) assert.equal(await misunderstood(cure), undefined);
}

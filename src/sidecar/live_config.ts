import { dirname } from "../core/path.ts";
import { ChangeLoop } from "../authority/change_loop.ts";
import { delay } from "../authority/delay.ts";
import { loadConfig, readConfigFile } from "../config/load.ts";
import type { Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import type { FirmaError, Result } from "../core/result.ts";
import type { DataPlane } from "./data_plane.ts";
import { watchMapping } from "./mapping_watch.ts";
import { errorLine, type Notify } from "./notices.ts";
import type { Groundwork } from "./prepare.ts";
import { readMapping, workerConfig } from "./settings.ts";
import type { MappingSource } from "./worker/messages.ts";

/** How far apart two reads must be that agree before their content is applied. */
const SETTLE_MS = 100;
const POLL_MS = 1_000;

/** Options of {@linkcode LiveConfig.start}. */
export interface LiveConfigOptions {
  readonly groundwork: Groundwork;
  readonly plane: Pick<DataPlane, "setConfig" | "setMapping" | "rules">;
  readonly env: Environment;
  readonly isMonitorAllowed: boolean;
  readonly notify: Notify;
}

/**
 * Follows `firma.toml` and the mappings that it names. What can be changed while
 * calls are decided is, as soon as the operator has trusted the file; of the rest
 * the operator is told that it takes a restart.
 */
export class LiveConfig {
  readonly #options: LiveConfigOptions;
  readonly #loop: ChangeLoop;
  #config: FirmaConfig;
  #digest: string | undefined;
  /** The text that was dealt with last. */
  #text: string;
  /** The state of the file that was dealt with last: its digest, and whether it was trusted. */
  #dealtWith: string | undefined;
  #mappings: ChangeLoop;

  private constructor(options: LiveConfigOptions) {
    const { config, mapping, source } = options.groundwork;
    this.#options = options;
    this.#config = config;
    this.#digest = source.digest;
    this.#text = source.text;
    this.#mappings = this.#watchMappings(mapping);
    this.#loop = ChangeLoop.start({
      directories: [dirname(source.file)],
      pollMs: POLL_MS,
      look: (signal) => this.#look(signal),
    });
  }

  /** Starts to follow; ends with {@linkcode LiveConfig.close}. */
  static start(options: LiveConfigOptions): LiveConfig {
    return new LiveConfig(options);
  }

  /**
   * The digest of the file that is in force as a whole; after a change that takes a
   * restart, still that of the one before.
   */
  get digest(): string | undefined {
    return this.#digest;
  }

  /** The mappings in force. */
  get rulesPaths(): readonly string[] {
    return this.#config.sidecar.mapping.rulesPaths;
  }

  /** Stops, and resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    await this.#loop.close();
    await this.#mappings.close();
  }

  #watchMappings(inForce: readonly MappingSource[]): ChangeLoop {
    return watchMapping(this.rulesPaths, inForce, (changed) => this.#setMapping(changed));
  }

  #setMapping(changed: Result<readonly MappingSource[], FirmaError[]>): void {
    const { plane, notify } = this.#options;
    const applied = changed.ok ? plane.setMapping(changed.value) : changed;
    if (applied.ok) return notify("info", `Mapping with ${plane.rules} rules is in force`);
    for (const error of applied.error) {
      notify("error", `The edit of a mapping is refused: ${errorLine(error)}`);
    }
  }

  async #look(signal: AbortSignal): Promise<void> {
    const first = await this.#state();
    // From the start, until somebody changes it, it is what was trusted then.
    if (first === undefined || first === this.#dealtWith) return;
    await delay(SETTLE_MS, signal);
    if (signal.aborted || await this.#state() !== first) return;
    this.#dealtWith = first;
    await this.#deal();
  }

  /** Names what is there now; nothing for what cannot be read, as in the middle of an edit. */
  async #state(): Promise<string | undefined> {
    const { groundwork: { source }, env } = this.#options;
    const file = readConfigFile(source.file);
    // A link that leads elsewhere now would bring what is trusted there.
    if (!file.ok || file.value.file !== source.file) return undefined;
    if (this.#dealtWith === undefined && file.value.text === this.#text) return undefined;
    const { trustState } = await import("../config/trust.ts");
    return `${file.value.digest} ${trustState(file.value, env).state}`;
  }

  async #deal(): Promise<void> {
    const { groundwork: { source }, env, notify } = this.#options;
    const [digest, trust] = this.#dealtWith!.split(" ");
    if (trust !== "trusted") {
      const cure = `read it, then: firma trust ${source.file}`;
      return notify(
        "warn",
        `The edit of ${source.file} is not in force: nobody trusts it (${cure})`,
      );
    }
    const loaded = loadConfig(source.file, env, digest);
    if (!loaded.ok) {
      for (const error of loaded.error) {
        notify("error", `The edit of ${source.file} is refused: ${errorLine(error)}`);
      }
      return;
    }
    await this.#apply(loaded.value.config, loaded.value.file.text, digest!);
  }

  async #apply(config: FirmaConfig, text: string, digest: string): Promise<void> {
    const { groundwork: { source }, env, notify } = this.#options;
    const [{ compareConfigs }, { parseToml }] = await Promise.all([
      import("../config/compare.ts"),
      import("../config/toml.ts"),
    ]);
    const [atStart, before, after] = [source.text, this.#text, text].map((each) => {
      const document = parseToml(each, source.file);
      if (!document.ok) throw new Error(document.error.message); // all were read before
      return document.value;
    });
    const sinceStart = compareConfigs(atStart!, after!, env);
    const changed = compareConfigs(before!, after!, env);
    const keys = (among: typeof changed, applies: typeof changed[number]["applies"]) =>
      among.filter((change) => change.applies === applies).map(({ key }) => key);
    const live = keys(changed, "live");
    const applied = live.length === 0 ? undefined : await this.#applyLive(config);
    if (applied?.ok === false) {
      for (const error of applied.error) {
        notify("error", `The edit of ${source.file} is refused: ${errorLine(error)}`);
      }
      return;
    }
    this.#text = text;
    const waiting = keys(sinceStart, "restart");
    if (waiting.length === 0) this.#digest = digest;
    const tell = (level: "info" | "warn", names: readonly string[], when: string) => {
      if (names.length > 0) notify(level, `${source.file} changed: ${names.join(", ")} ${when}`);
    };
    tell("info", live, "in force now");
    tell("info", keys(changed, "next run"), "in force from the next run on");
    tell("warn", waiting, "in force after the Sidecar starts again");
  }

  /** Puts in force what a Sidecar that runs can change, all of it or nothing. */
  async #applyLive(wanted: FirmaConfig): Promise<Result<void, readonly FirmaError[]>> {
    const { plane, isMonitorAllowed } = this.#options;
    const config = withLive(this.#config, wanted);
    const exposed = newFilesOutside(this.#config, config);
    if (exposed.length > 0) return { ok: false, error: exposed };
    const mapping = await readMapping(config.sidecar.mapping.rulesPaths);
    if (!mapping.ok) return mapping;
    const worker = await workerConfig(config, isMonitorAllowed);
    if (!worker.ok) return { ok: false, error: [worker.error] };
    const applied = plane.setConfig(worker.value, mapping.value);
    if (!applied.ok) return applied;
    this.#config = config;
    await this.#mappings.close();
    this.#mappings = this.#watchMappings(mapping.value);
    return applied;
  }
}

/** A configuration in which the keys that apply at once are those of another. */
export function withLive(config: FirmaConfig, { sidecar: wanted }: FirmaConfig): FirmaConfig {
  const { sidecar } = config;
  const { interceptor, mapping, connector } = sidecar;
  return {
    ...config,
    sidecar: {
      ...sidecar,
      mapping: { ...mapping, ...wanted.mapping },
      interceptor: { ...interceptor, httpsMitm: wanted.interceptor.httpsMitm },
      connector: { ...connector, ...wanted.connector },
    },
  };
}

/**
 * Files that a change brings into force and that lie outside of the directory which
 * every sandbox hides: an agent that runs might write them, and nobody has checked
 * whether it can.
 */
function newFilesOutside(before: FirmaConfig, after: FirmaConfig): FirmaError[] {
  const known = new Set(filesOf(before));
  return filesOf(after)
    .filter((path) => !known.has(path) && !realPath(path).startsWith(`${after.directory}/`))
    .map((path) => ({
      code: "CONFIG_FILE_OUTSIDE",
      message: `Cannot use "${path}" in sessions that run: it lies outside of "${after.directory}"`,
      cure: "move it there, or end the Sidecar and start it again",
    }));
}

function filesOf({ sidecar: { mapping, connector } }: FirmaConfig): string[] {
  return [
    ...mapping.rulesPaths,
    ...connector.hosts.map(({ caCertPath }) => caCertPath).filter((path) => path !== undefined),
  ];
}

function realPath(path: string): string {
  try {
    return Deno.realPathSync(path);
  } catch {
    return path; // whoever reads it says that it is not there
  }
}

import { dirname } from "../core/path.ts";
import { ChangeLoop } from "../authority/change_loop.ts";
import { delay } from "../core/delay.ts";
import { loadConfig, readConfigFile } from "../config/load.ts";
import type { Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import type { FirmaError, Result } from "../core/result.ts";
import type { DataPlane } from "./data_plane.ts";
import { newFilesOutside, withLive } from "./live_keys.ts";
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
  #trouble: string | undefined;
  /** The content of the mappings in force. */
  #mapping: readonly MappingSource[];
  #mappings: ChangeLoop;

  private constructor(options: LiveConfigOptions) {
    const { config, mapping, source } = options.groundwork;
    this.#options = options;
    this.#config = config;
    this.#digest = source.digest;
    this.#text = source.text;
    this.#mapping = mapping;
    this.#mappings = this.#watchMappings();
    this.#loop = ChangeLoop.start({
      directories: [dirname(source.file)],
      pollMs: POLL_MS,
      look: async (signal) => {
        try {
          await this.#look(signal);
        } catch (cause) {
          this.#tellTrouble(cause instanceof Error ? cause.message : String(cause));
        }
      },
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

  #watchMappings(): ChangeLoop {
    return watchMapping(this.rulesPaths, this.#mapping, (changed) => this.#setMapping(changed));
  }

  async #setMapping(changed: Result<readonly MappingSource[], FirmaError[]>): Promise<void> {
    const { plane, notify } = this.#options;
    const applied = changed.ok ? await plane.setMapping(changed.value) : changed;
    if (changed.ok && applied.ok) this.#mapping = changed.value;
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

  /** Says once that the file cannot be followed: what is in force stays in force. */
  #tellTrouble(reason: string): void {
    if (this.#trouble === reason) return;
    this.#trouble = reason;
    const { groundwork: { source }, notify } = this.#options;
    notify("error", `Edits of ${source.file} cannot be followed: ${reason}`);
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
    // Before anything else: it must not put a mapping back that is no longer named.
    await this.#mappings.close();
    const applied = await plane.setConfig(worker.value, mapping.value);
    if (applied.ok) [this.#config, this.#mapping] = [config, mapping.value];
    this.#mappings = this.#watchMappings();
    return applied;
  }
}

import { dirname } from "../core/path.ts";
import { ChangeLoop } from "../authority/change_loop.ts";
import { delay } from "../core/delay.ts";
import { loadConfig, readConfigFile } from "../config/load.ts";
import type { Environment } from "../config/paths.ts";
import type { FirmaConfig } from "../config/schema.ts";
import type { ConfigChange } from "../config/compare.ts";
import { type CredentialChange, credentialWords } from "../core/credential_change.ts";
import type { ConfigEvent, ExecutionEvent } from "../core/event.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { sha256 } from "../core/sha256.ts";
import type { LiveCredentials } from "./credentials/live_credentials.ts";
import type { DataPlane } from "./data_plane.ts";
import {
  appliesHere,
  CREDENTIALS,
  newFilesOutside,
  notReached,
  untrusted,
  waitingFor,
  withCredentials,
  withLive,
} from "./live_keys.ts";
import { watchMapping } from "./mapping_watch.ts";
import { errorLine, type Notify } from "./notices.ts";
import { eventBase } from "./pipeline/record.ts";
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
  readonly credentials: Pick<LiveCredentials, "canChange" | "inForce" | "put" | "renew">;
  readonly env: Environment;
  readonly isMonitorAllowed: boolean;
  readonly notify: Notify;
  /** Appends to the audit log. */
  readonly record: (event: ExecutionEvent) => boolean;
}

/** What became of an edit. */
interface Dealt {
  readonly digest: string;
  readonly outcome: Result<void, readonly FirmaError[]>;
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
  /** What became of it, and who waits to hear of the next one. */
  #dealt: Dealt;
  #dealing = Promise.withResolvers<void>();
  /** Credentials change one at a time. */
  #changing: Promise<unknown> = Promise.resolve();
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
    this.#dealt = { digest: source.digest ?? sha256(source.text), outcome: ok(undefined) };
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

  /**
   * Looks at the file at once, and resolves when what it has by the name of `digest` is in force, or
   * with why it is not; at the latest in `limitMs`. Then has the credentials of these names obtained
   * anew, whose secret is another one now.
   */
  async reach(
    digest: string,
    renewed: readonly string[],
    limitMs: number,
  ): Promise<Result<void, readonly FirmaError[]>> {
    const ending = new AbortController();
    const late = delay(limitMs, ending.signal);
    // Whoever edits a file may trust it a moment later.
    const isSettled = () => this.#dealt.digest === digest && !isUntrusted(this.#dealt.outcome);
    while (!isSettled() && !ending.signal.aborted) {
      this.#loop.poke();
      await Promise.race([this.#dealing.promise, late.then(() => ending.abort())]);
    }
    ending.abort();
    const { outcome } = this.#dealt;
    if (this.#dealt.digest !== digest) return err([notReached(this.#file)]);
    if (!outcome.ok || renewed.length === 0) return outcome;
    return await this.#renew(renewed);
  }

  async #renew(labels: readonly string[]): Promise<Result<void, readonly FirmaError[]>> {
    const { credentials } = this.#options;
    if (!credentials.canChange) return err([waitingFor(this.#file, [CREDENTIALS])]);
    const renewed = await this.#changeCredentials(() => credentials.renew(labels));
    if (!renewed.ok) return err([renewed.error]);
    this.#tellCredentials(renewed.value);
    this.#record({ change: "applied", keys: [], credentials: renewed.value, detail: "" });
    return ok(undefined);
  }

  /** Stops, and resolves when nothing of it runs any more. */
  async close(): Promise<void> {
    await this.#loop.close();
    await this.#mappings.close();
  }

  get #file(): string {
    return this.#options.groundwork.source.file;
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
    const digest = first.split(" ")[0]!;
    const outcome = await this.#deal();
    this.#dealt = { digest, outcome };
    this.#dealing.resolve();
    this.#dealing = Promise.withResolvers();
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

  async #deal(): Promise<Dealt["outcome"]> {
    const { groundwork: { source }, env, notify } = this.#options;
    const [digest, trust] = this.#dealtWith!.split(" ");
    if (trust !== "trusted") {
      const error = untrusted(source.file);
      notify("warn", errorLine(error));
      this.#record({ change: "untrusted", keys: [], detail: "" });
      return err([error]);
    }
    const loaded = loadConfig(source.file, env, digest);
    if (!loaded.ok) return this.#refuse(loaded.error);
    return await this.#apply(loaded.value.config, loaded.value.file.text, digest!);
  }

  #refuse(errors: readonly FirmaError[]): Result<never, readonly FirmaError[]> {
    const { groundwork: { source }, notify } = this.#options;
    for (const error of errors) {
      notify("error", `The edit of ${source.file} is refused: ${errorLine(error)}`);
    }
    this.#record({ change: "refused", keys: [], detail: errors.map(errorLine).join("; ") });
    return err(errors);
  }

  #record(said: Pick<ConfigEvent, "change" | "keys" | "credentials" | "detail">): void {
    const nobody = { sandboxId: "", sessionId: "", agentId: "" };
    this.#options.record({ ...eventBase(nobody), kind: "config", ...said });
  }

  #tellCredentials(change: CredentialChange): void {
    const words = credentialWords(change);
    if (words !== "") this.#options.notify("info", `Credentials that are in force now: ${words}`);
  }

  async #apply(config: FirmaConfig, text: string, digest: string): Promise<Dealt["outcome"]> {
    const { groundwork: { source }, env, notify, credentials } = this.#options;
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
    const keys = (among: typeof changed, applies: ConfigChange["applies"]) =>
      among.filter((change) => appliesHere(change, credentials.canChange) === applies)
        .map(({ key }) => key);
    const live = keys(changed, "live");
    const applied = live.length === 0 ? undefined : await this.#applyLive(config, live);
    if (applied?.ok === false) return this.#refuse(applied.error);
    this.#text = text;
    if (applied !== undefined) {
      this.#record({ change: "applied", keys: live, ...applied.value, detail: "" });
    }
    const waiting = keys(sinceStart, "restart");
    if (waiting.length === 0) this.#digest = digest;
    const tell = (level: "info" | "warn", names: readonly string[], when: string) => {
      if (names.length > 0) notify(level, `${source.file} changed: ${names.join(", ")} ${when}`);
    };
    tell("info", live, "in force now");
    tell("info", keys(changed, "next run"), "in force from the next run on");
    tell("warn", waiting, "in force after the Sidecar starts again");
    if (applied?.value.credentials) this.#tellCredentials(applied.value.credentials);
    return waiting.length === 0 ? ok(undefined) : err([waitingFor(source.file, waiting)]);
  }

  /** Puts in force what a Sidecar that runs can change, all of it or nothing. */
  async #applyLive(
    wanted: FirmaConfig,
    keys: readonly string[],
  ): Promise<Result<Pick<ConfigEvent, "credentials">, readonly FirmaError[]>> {
    const { env, credentials } = this.#options;
    const before = this.#config;
    const areOther = keys.includes(CREDENTIALS);
    const config = withLive(before, wanted);
    const exposed = newFilesOutside(
      before,
      areOther ? withCredentials(config, wanted.sidecar.credentials) : config,
      env,
    );
    if (exposed.length > 0) return err(exposed);
    if (keys.some((key) => key !== CREDENTIALS)) {
      // Credentials alone close no call, and take no other data plane.
      const set = await this.#setConfig(config);
      if (!set.ok) return set;
    }
    if (!areOther) return ok({});
    const put = await this.#changeCredentials(() => credentials.put(wanted.sidecar.credentials));
    if (put.ok) return ok({ credentials: put.value });
    if (this.#config !== before) await this.#setConfig(before);
    return err([put.error]);
  }

  /** One change after the other; what comes next knows of it. */
  async #changeCredentials(
    change: () => Promise<Result<CredentialChange>>,
  ): Promise<Result<CredentialChange>> {
    const changing = this.#changing.then(change);
    this.#changing = changing;
    const changed = await changing;
    const { inForce } = this.#options.credentials;
    if (changed.ok) this.#config = withCredentials(this.#config, inForce);
    return changed;
  }

  async #setConfig(config: FirmaConfig): Promise<Result<void, readonly FirmaError[]>> {
    const { plane, isMonitorAllowed } = this.#options;
    const mapping = await readMapping(config.sidecar.mapping.rulesPaths);
    if (!mapping.ok) return mapping;
    const worker = await workerConfig(config, isMonitorAllowed);
    if (!worker.ok) return err([worker.error]);
    // Before anything else: it must not put a mapping back that is no longer named.
    await this.#mappings.close();
    const applied = await plane.setConfig(worker.value, mapping.value);
    if (applied.ok) [this.#config, this.#mapping] = [config, mapping.value];
    this.#mappings = this.#watchMappings();
    return applied;
  }
}

function isUntrusted(outcome: Dealt["outcome"]): boolean {
  return !outcome.ok && outcome.error[0]?.code === "CONFIG_UNTRUSTED";
}

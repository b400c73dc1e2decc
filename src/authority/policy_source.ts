import { dirname, join } from "../core/path.ts";
import { delay } from "../core/delay.ts";
import type { BundleUpdate } from "../core/authority.ts";
import type { PolicyBundle } from "../core/policy_bundle.ts";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { splitStatements } from "../policy/statement.ts";
import { Broadcast } from "./broadcast.ts";
import { ChangeLoop } from "./change_loop.ts";
import type { CheckedContents } from "../config/checked_contents.ts";
import { checkKnownBundle } from "./check_known_bundle.ts";
import { digestMapping } from "./mapping_digest.ts";
import { type PolicyFile, type PolicyFiles, readPolicyFiles, versionOf } from "./policy_files.ts";

/** Options of {@linkcode PolicySource.open}. */
export interface PolicySourceOptions {
  readonly directory: string;
  /** Cedar schema in its human-readable form. */
  readonly schema: string;
  /** How long a reader may go on with a bundle without hearing of it again, in milliseconds. */
  readonly ttlMs: number;
  /** Hears of policies that are valid and yet look like a mistake. */
  readonly onWarning: (warning: FirmaError) => void;
  /**
   * The mapping rules that the policies are written for: a change of them is a change of the
   * bundle, which names their digest.
   * @default {[]}
   */
  readonly mappingRulesPaths?: readonly string[];
  /** What needs no check, because an earlier run has checked them. */
  readonly known?: CheckedContents | undefined;
  /**
   * Tells whether the operator meant to remove a file that held `text`, and said so after
   * `sinceMs`.
   * @default {undefined} no removal is meant
   */
  readonly wasRemoved?: ((removed: RemovedPolicies) => boolean) | undefined;
}

/** A policy file that is no longer there. */
export interface RemovedPolicies {
  /** Its name in the directory. */
  readonly file: string;
  readonly text: string;
  /** When what it held came into force, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** How far apart two reads must be that agree before their content is applied. */
const SETTLE_MS = 100;
const POLL_MS = 500;

/**
 * The policy bundle of a directory, kept up to date. A change is applied when two
 * reads 100 ms apart agree and the policies are valid; until then, and when a
 * file vanished or became empty (which is how many editors save, and would drop
 * its `forbid`s), the bundle in force stays.
 */
export class PolicySource {
  readonly #options: PolicySourceOptions;
  readonly #updates = new Broadcast<BundleUpdate>(({ kind }) =>
    kind === "refused" ? "refused" : "in force"
  );
  #revision = 0;
  /** The last valid bundle, in force unless the directory is gone. */
  #bundle: PolicyBundle;
  #current: BundleUpdate;
  /** The edit that stands in the directory and is not valid. */
  #refused: BundleUpdate | undefined;
  /** When it came into force. */
  #sinceMs = Date.now();
  /** The state of the directory that was last dealt with. */
  #dealtWith: string;
  #spokeMs = Date.now();
  #loop: ChangeLoop | undefined;

  private constructor(options: PolicySourceOptions, bundle: PolicyBundle, fingerprint: string) {
    this.#options = options;
    this.#bundle = bundle;
    this.#revision = bundle.revision;
    this.#current = { kind: "bundle", bundle };
    this.#dealtWith = fingerprint;
  }

  /** Reads the directory and goes on watching it; fails when it holds no valid bundle. */
  static async open(options: PolicySourceOptions): Promise<Result<PolicySource, FirmaError[]>> {
    const state = await readSettled(options);
    if (state.kind === "gone") return err([state.error]);
    if (state.kind === "unusable") return err([...state.errors]);
    if (state.files.length === 0) return err([noPolicies(options.directory)]);
    const bundle = makeBundle(options, state, 1);
    const checked = checkKnownBundle(bundle, options);
    if (!checked.ok) return err(checked.error.map((fault) => placed(fault, options.directory)));
    const source = new PolicySource(options, bundle, state.fingerprint);
    source.#loop = ChangeLoop.start({
      directories: [
        ...new Set([options.directory, ...(options.mappingRulesPaths ?? []).map(dirname)]),
      ],
      pollMs: Math.max(SETTLE_MS, Math.min(POLL_MS, options.ttlMs / 3)),
      look: (signal) => source.#look(signal),
    });
    return ok(source);
  }

  /** The bundle in force; `undefined` when there is none and everything is denied. */
  get bundle(): PolicyBundle | undefined {
    return this.#current.kind === "bundle" ? this.#bundle : undefined;
  }

  /** The last valid content of the directory, whether or not the directory is still there. */
  get lastValid(): PolicyBundle {
    return this.#bundle;
  }

  /**
   * What is in force, then each change. The bundle in force comes again several
   * times within its time to live, with its revision unchanged.
   */
  updates(signal: AbortSignal): AsyncIterable<BundleUpdate> {
    const start = () => this.#refused ? [this.#current, this.#refused] : [this.#current];
    return this.#updates.subscribe(start, signal);
  }

  /** Stops watching. */
  async close(): Promise<void> {
    await this.#loop?.close();
  }

  async #look(signal: AbortSignal): Promise<void> {
    let state = await readSources(this.#options);
    while (state.fingerprint !== this.#dealtWith) {
      await delay(SETTLE_MS, signal);
      if (signal.aborted) return;
      const again = await readSources(this.#options);
      if (again.fingerprint === state.fingerprint) {
        this.#dealtWith = state.fingerprint;
        this.#deal(state);
        break;
      }
      state = again;
    }
    // From here and not from a timer: when reading hangs, readers must find out.
    if (Date.now() - this.#spokeMs >= this.#options.ttlMs / 3) this.#speak(this.#current);
  }

  #deal(state: Sources): void {
    if (state.kind === "gone") {
      this.#refused = undefined;
      this.#current = { kind: "gone", error: state.error };
      return this.#speak(this.#current);
    }
    if (state.kind === "unusable") return this.#refuse(state.errors);
    const { wasRemoved = () => false } = this.#options;
    const missing = vanished(
      this.#bundle.policies.filter(({ file, text }) =>
        state.files.some((now) => now.file === file) ||
        !wasRemoved({ file, text, sinceMs: this.#sinceMs })
      ),
      state.files,
    );
    if (missing.length > 0) return this.#refuse(missing);
    const bundle = makeBundle(this.#options, state, this.#revision + 1);
    const checked = checkKnownBundle(bundle, this.#options);
    if (!checked.ok) return this.#refuse(checked.error);
    this.#revision++;
    this.#bundle = bundle;
    this.#sinceMs = Date.now();
    this.#refused = undefined;
    this.#current = { kind: "bundle", bundle };
    this.#speak(this.#current);
  }

  #refuse(errors: readonly FirmaError[]): void {
    this.#refused = { kind: "refused", errors };
    this.#speak(this.#refused);
  }

  #speak(update: BundleUpdate): void {
    if (update.kind !== "refused") this.#spokeMs = Date.now();
    this.#updates.publish(update);
  }
}

/** Reads once, and again when a file is so young that somebody may still be writing it. */
async function readSettled(options: PolicySourceOptions): Promise<Sources> {
  let state = await readSources(options);
  while (state.kind === "files" && Date.now() - state.youngestMs < 2 * SETTLE_MS) {
    await delay(SETTLE_MS);
    const again = await readSources(options);
    if (again.fingerprint === state.fingerprint) break;
    state = again;
  }
  return state;
}

function makeBundle(
  { schema, ttlMs }: PolicySourceOptions,
  { files, mappingDigest }: Sources & { readonly kind: "files" },
  revision: number,
): PolicyBundle {
  const content = { policies: files, schema, ttlSeconds: ttlMs / 1000 };
  if (mappingDigest === undefined) return { revision, version: versionOf(files), ...content };
  // No policy file has a name without an ending.
  const version = versionOf([...files, { file: "mapping", text: mappingDigest }]);
  return { revision, version, ...content, mappingDigest };
}

/** Policy files, and what is known of the mapping that they are for. */
type Sources = PolicyFiles & { readonly mappingDigest: string | undefined };

async function readSources(
  { directory, mappingRulesPaths = [] }: PolicySourceOptions,
): Promise<Sources> {
  const state = await readPolicyFiles(directory);
  if (mappingRulesPaths.length === 0) return { ...state, mappingDigest: undefined };
  const mapping = await digestMapping(mappingRulesPaths);
  if (mapping.ok) {
    const mappingDigest = mapping.value;
    return { ...state, mappingDigest, fingerprint: `${state.fingerprint} ${mappingDigest}` };
  }
  if (state.kind === "gone") return { ...state, mappingDigest: undefined };
  const errors = [mapping.error, ...(state.kind === "unusable" ? state.errors : [])];
  const fingerprint = `${state.fingerprint} ${mapping.error.message}`;
  return { kind: "unusable", errors, fingerprint, mappingDigest: undefined };
}

/** The files that held policies and hold none any more. */
function vanished(before: readonly PolicyFile[], after: readonly PolicyFile[]): FirmaError[] {
  const texts = new Map(after.map(({ file, text }) => [file, text]));
  const errors: FirmaError[] = [];
  for (const { file, text } of before) {
    if (splitStatements(text).length === 0) continue;
    const now = texts.get(file);
    if (now !== undefined && splitStatements(now).length > 0) continue;
    errors.push({
      code: now === undefined ? "POLICY_FILE_VANISHED" : "POLICY_FILE_EMPTIED",
      message: `Cannot drop the policies of "${file}": the file ${
        now === undefined ? "vanished" : "became empty"
      }`,
      cure: "put it back, or start again without it; firma config removes a posture at once",
      at: { file },
    });
  }
  return errors;
}

/** Names the file as it can be opened: whoever starts something may be in any directory. */
function placed(fault: FirmaError, directory: string): FirmaError {
  if (fault.at === undefined || !fault.at.file.endsWith(".cedar")) return fault;
  return { ...fault, at: { ...fault.at, file: join(directory, fault.at.file) } };
}

function noPolicies(directory: string): FirmaError {
  return {
    code: "NO_POLICIES",
    message: `Cannot load policies from "${directory}": it holds no .cedar file`,
    cure: "put a policy file there, such as one of the postures; without any everything is denied",
  };
}

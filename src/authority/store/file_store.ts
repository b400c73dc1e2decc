import { join } from "../../core/path.ts";
import * as v from "valibot";
import { ensurePrivateDirectory } from "../../config/paths.ts";
import type { Revocation } from "../../core/authority.ts";
import { err, type FirmaError, FirmaException, ok, type Result } from "../../core/result.ts";
import { parseTimestamp } from "../../core/timestamp.ts";
import { compactFile, revokeInFile, withdrawFromFile } from "../revocation_file.ts";
import { RevocationSource } from "../revocation_source.ts";
import { AgentFile } from "./agent_file.ts";
import { readFileIfThere, replaceFile, withFileLock } from "./files.ts";
import { nextRevision } from "./revision.ts";
import type {
  AuthorityStore,
  BundleContent,
  IssuedToken,
  PublishedBundle,
  Recorded,
  RegisteredAgent,
} from "./store.ts";
import { TokenLog } from "./token_log.ts";

/** Options of {@linkcode FileStore.open}. */
export interface FileStoreOptions {
  /** Directory of mode 0700 for everything but the revocations; made where it is missing. */
  readonly directory: string;
  /** File of revoked tokens, which is the truth; it need not be there. */
  readonly revocationFile: string;
  /** No token lives longer, in milliseconds. */
  readonly maxTtlMs: number;
  /** Hears what is wrong with the revocation file. */
  readonly onNotice: (notice: FirmaError) => void;
}

const Published = v.strictObject({
  revision: v.pipe(v.number(), v.safeInteger()),
  version: v.string(),
});

/**
 * The store of a single Authority, in files of one machine. Agents, revocations
 * and tokens may be changed by other processes of the machine while it runs.
 */
export class FileStore implements AuthorityStore {
  readonly #options: FileStoreOptions;
  readonly #agents: AgentFile;
  readonly #tokens: TokenLog;
  readonly #source: RevocationSource;
  readonly #closing = new AbortController();
  #bundle: PublishedBundle | undefined;

  private constructor(options: FileStoreOptions, tokens: TokenLog, source: RevocationSource) {
    this.#options = options;
    this.#agents = new AgentFile(join(options.directory, "agents.json"));
    this.#tokens = tokens;
    this.#source = source;
    void this.#followRevocations();
  }

  /** Opens the store; fails when a file of it cannot be used. */
  static async open(options: FileStoreOptions): Promise<Result<FileStore>> {
    const made = ensurePrivateDirectory(options.directory);
    if (!made.ok) return made;
    let tokens: TokenLog;
    try {
      tokens = await TokenLog.open(join(options.directory, "tokens.jsonl"));
    } catch (cause) {
      return err({
        code: "STORE_UNUSABLE",
        message: `Cannot open the Authority's store "${options.directory}": ${reason(cause)}`,
        cure: "make it a directory that you own and can write",
        cause,
      });
    }
    const source = await RevocationSource.open(options.revocationFile, options.onNotice);
    if (source.ok) return ok(new FileStore(options, tokens, source.value));
    tokens.close();
    return source;
  }

  async findAgent(id: string): Promise<RegisteredAgent | undefined> {
    return (await this.#agents.read()).get(id);
  }

  async listAgents(): Promise<readonly RegisteredAgent[]> {
    const agents = [...(await this.#agents.read()).values()];
    return agents.sort((a, b) => a.name < b.name ? -1 : 1);
  }

  addAgent(agent: RegisteredAgent): Promise<boolean> {
    return this.#agents.change((agents) => {
      const taken = agents.some(({ id, name }) => id === agent.id || name === agent.name);
      return taken ? undefined : [...agents, agent];
    });
  }

  removeAgent(id: string): Promise<boolean> {
    return this.#agents.change((agents) => {
      const kept = agents.filter((agent) => agent.id !== id);
      return kept.length === agents.length ? undefined : kept;
    });
  }

  async recordToken(token: IssuedToken, registeredOnly = false): Promise<Recorded> {
    if (registeredOnly && await this.findAgent(token.agentId) === undefined) {
      return "AGENT_NOT_REGISTERED";
    }
    if (this.#isStopped(token.sessionId)) return "SESSION_REVOKED";
    this.#tokens.add(token);
    return "recorded";
  }

  listRevocations(): Promise<readonly Revocation[]> {
    return Promise.resolve(this.#source.revocations);
  }

  revoke(revocation: Revocation): Promise<void> {
    return revokeInFile(this.#options.revocationFile, revocation);
  }

  withdrawRevocation(tokenId: string): Promise<boolean> {
    return withdrawFromFile(this.#options.revocationFile, tokenId);
  }

  compactRevocations(olderThanMs: number): Promise<number> {
    return compactFile(this.#options.revocationFile, olderThanMs);
  }

  watchRevocations(signal: AbortSignal): AsyncIterable<readonly Revocation[]> {
    return this.#source.updates(AbortSignal.any([signal, this.#closing.signal]));
  }

  currentBundle(): Promise<PublishedBundle | undefined> {
    return Promise.resolve(this.#bundle);
  }

  publishBundle(content: BundleContent, _atStart: boolean): Promise<PublishedBundle> {
    const file = join(this.#options.directory, "bundle.json");
    return withFileLock(file, async () => {
      const last = await readPublished(file);
      const { version } = content;
      const revision = last?.version === version ? last.revision : nextRevision(last?.revision);
      if (revision !== last?.revision) {
        await replaceFile(file, `${JSON.stringify({ revision, version })}\n`);
      }
      this.#bundle = { ...content, revision };
      return this.#bundle;
    });
  }

  /** Nobody else publishes in files. */
  async *watchBundles(_signal: AbortSignal): AsyncGenerator<PublishedBundle> {}

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#source.close();
    this.#tokens.close();
  }

  #isStopped(sessionId: string): boolean {
    const revoked = this.#source.tokenIds;
    return this.#tokens.isStopped(sessionId) ||
      this.#tokens.tokensOf(sessionId).some((tokenId) => revoked.has(tokenId));
  }

  /** What is revoked stops its session; what was taken back, and not merely compacted, frees it. */
  async #followRevocations(): Promise<void> {
    let before: readonly Revocation[] = [];
    for await (const now of this.#source.updates(this.#closing.signal)) {
      const standing = new Set(now.map(({ tokenId }) => tokenId));
      for (const { tokenId } of now) this.#setStopped(tokenId, true);
      for (const { tokenId, timestamp } of before) {
        const ageMs = Date.now() - (parseTimestamp(timestamp) ?? 0);
        if (!standing.has(tokenId) && ageMs <= this.#options.maxTtlMs) {
          this.#setStopped(tokenId, false);
        }
      }
      before = now;
    }
  }

  #setStopped(tokenId: string, stopped: boolean): void {
    const sessionId = this.#tokens.sessionOf(tokenId);
    if (sessionId === undefined) return;
    try {
      this.#tokens.setStopped(sessionId, stopped);
    } catch (cause) {
      this.#options.onNotice({
        code: "STORE_UNUSABLE",
        message: `Cannot remember that session "${sessionId}" is revoked: ${reason(cause)}`,
        cure: `make room in "${this.#options.directory}"`,
        cause,
      });
    }
  }
}

async function readPublished(file: string): Promise<v.InferOutput<typeof Published> | undefined> {
  const text = await readFileIfThere(file);
  if (text === undefined) return undefined;
  try {
    return v.parse(Published, JSON.parse(text));
  } catch (cause) {
    throw new FirmaException({
      code: "STORE_UNUSABLE",
      message: `Cannot read which bundle was published last in "${file}": it is damaged`,
      cure: "restore the file, or remove it when no Sidecar of this Authority runs",
      at: { file },
      cause,
    });
  }
}

function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

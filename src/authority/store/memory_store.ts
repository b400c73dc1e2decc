import type { Revocation } from "../../core/authority.ts";
import { type FirmaError, ok, type Result } from "../../core/result.ts";
import { RevocationSource } from "../revocation_source.ts";
import { compactFile, revokeInFile, withdrawFromFile } from "../revocation_file.ts";
import { nextRevision } from "./revision.ts";
import type {
  AuthorityStore,
  BundleContent,
  IssuedToken,
  PublishedBundle,
  Recorded,
  RegisteredAgent,
} from "./store.ts";

/** Options of {@linkcode MemoryStore.open}. */
export interface MemoryStoreOptions {
  /** File of revoked tokens, which is the truth; it need not be there. */
  readonly revocationFile: string;
  /** Hears what is wrong with the file. */
  readonly onNotice: (notice: FirmaError) => void;
}

/**
 * Remembers as long as its process lives: the store of an Authority that starts
 * and ends with one Sidecar. Only the revocations are in a file, and once one is
 * compacted its session may have tokens again.
 */
export class MemoryStore implements AuthorityStore {
  readonly #file: string;
  readonly #source: RevocationSource;
  readonly #agents = new Map<string, RegisteredAgent>();
  /** The tokens of each session, expired ones too: a revoked session stays revoked. */
  readonly #issued = new Map<string, string[]>();
  #bundle: PublishedBundle | undefined;

  private constructor(file: string, source: RevocationSource) {
    this.#file = file;
    this.#source = source;
  }

  /** Reads the revocation file and goes on watching it. */
  static async open(
    { revocationFile, onNotice }: MemoryStoreOptions,
  ): Promise<Result<MemoryStore>> {
    const source = await RevocationSource.open(revocationFile, onNotice);
    return source.ok ? ok(new MemoryStore(revocationFile, source.value)) : source;
  }

  findAgent(id: string): Promise<RegisteredAgent | undefined> {
    return Promise.resolve(this.#agents.get(id));
  }

  listAgents(): Promise<readonly RegisteredAgent[]> {
    const agents = [...this.#agents.values()];
    return Promise.resolve(agents.sort((a, b) => a.name < b.name ? -1 : 1));
  }

  addAgent(agent: RegisteredAgent): Promise<boolean> {
    const taken = [...this.#agents.values()].some(({ id, name }) =>
      id === agent.id || name === agent.name
    );
    if (!taken) this.#agents.set(agent.id, agent);
    return Promise.resolve(!taken);
  }

  removeAgent(id: string): Promise<boolean> {
    return Promise.resolve(this.#agents.delete(id));
  }

  recordToken(
    { agentId, sessionId, tokenId }: IssuedToken,
    registeredOnly = false,
  ): Promise<Recorded> {
    if (registeredOnly && !this.#agents.has(agentId)) {
      return Promise.resolve("AGENT_NOT_REGISTERED");
    }
    const revoked = this.#source.tokenIds;
    const tokens = this.#issued.get(sessionId) ?? [];
    if (tokens.some((each) => revoked.has(each))) return Promise.resolve("SESSION_REVOKED");
    tokens.push(tokenId);
    this.#issued.set(sessionId, tokens);
    return Promise.resolve("recorded");
  }

  listRevocations(): Promise<readonly Revocation[]> {
    return Promise.resolve(this.#source.revocations);
  }

  revoke(revocation: Revocation): Promise<void> {
    return revokeInFile(this.#file, revocation);
  }

  withdrawRevocation(tokenId: string): Promise<boolean> {
    return withdrawFromFile(this.#file, tokenId);
  }

  compactRevocations(olderThanMs: number): Promise<number> {
    return compactFile(this.#file, olderThanMs);
  }

  watchRevocations(signal: AbortSignal): AsyncIterable<readonly Revocation[]> {
    return this.#source.updates(signal);
  }

  currentBundle(): Promise<PublishedBundle | undefined> {
    return Promise.resolve(this.#bundle);
  }

  publishBundle(content: BundleContent, _atStart: boolean): Promise<PublishedBundle> {
    if (this.#bundle?.version !== content.version) {
      this.#bundle = { ...content, revision: nextRevision(this.#bundle?.revision) };
    }
    return Promise.resolve(this.#bundle!);
  }

  /** Nobody else publishes here. */
  async *watchBundles(_signal: AbortSignal): AsyncGenerator<PublishedBundle> {}

  async close(): Promise<void> {
    await this.#source.close();
  }
}

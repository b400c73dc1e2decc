import type { Result } from "../../core/result.ts";
import type { CredentialNeed } from "../hand_out.ts";
import type { AskService } from "./service/ask.ts";

/** What providers reach the world through; tests pass another one. Nothing here rejects. */
export interface ProviderWorld {
  readonly ask: AskService;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Reads a file that holds a secret and that nobody else could have read or placed. */
  readSecret(path: string): Promise<Result<string>>;
  /** Replaces such a file: afterwards it holds all of `text`, or what it held before. */
  writeSecret(path: string, text: string): Promise<Result<void>>;
  /** Runs `action` while no other process that asks for the same `path` runs one. */
  exclusively<T>(path: string, action: () => Promise<Result<T>>): Promise<Result<T>>;
  /** An ID token of the Authority about whoever makes a call, for one audience. */
  identityToken(
    audience: string,
    need: Pick<CredentialNeed, "agentId" | "sessionId">,
  ): Promise<Result<string>>;
}

import type { Result } from "../../core/result.ts";
import type { AskService } from "./service/ask.ts";

/** What providers reach the world through; tests pass another one. */
export interface ProviderWorld {
  readonly ask: AskService;
  /** Milliseconds since the epoch. */
  now(): number;
  /** Reads a file that holds a secret and that nobody else could have read or placed. */
  readSecret(path: string, what: string): Promise<Result<string>>;
  /** Replaces such a file: afterwards it holds all of `text`, or what it held before. */
  writeSecret(path: string, text: string): Promise<Result<void>>;
}

/** A value that is either what was asked for or the reason why it is not. */
export type Result<T, E = FirmaError> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: E };

/** Wraps a success. */
export function ok<T>(value: T): { readonly ok: true; readonly value: T } {
  return { ok: true, value };
}

/** Wraps a failure. */
export function err<E>(error: E): { readonly ok: false; readonly error: E } {
  return { ok: false, error };
}

/**
 * A failure that an operator can act on. `message` says what was being done and
 * what stood in the way (`Cannot parse "x": value is empty`); `cure` says what
 * to do next, as a command where there is one.
 */
export interface FirmaError {
  /** Stable, SCREAMING_SNAKE_CASE. Branch on this, never on the message. */
  readonly code: string;
  readonly message: string;
  readonly cure?: string;
  /** Where in a file the fault is, when it is in a file. Lines and columns count from 1. */
  readonly at?: {
    readonly file: string;
    readonly line?: number;
    readonly column?: number;
    /** How many characters the fault takes up, where that is known. */
    readonly length?: number;
  };
  readonly cause?: unknown;
}

/** Carries a {@linkcode FirmaError} through code that throws. */
export class FirmaException extends Error {
  readonly error: FirmaError;
  constructor(error: FirmaError) {
    super(error.message, { cause: error.cause });
    this.name = "FirmaException";
    this.error = error;
  }
}

/** Returns the value, or throws the error as a {@linkcode FirmaException}. */
export function unwrap<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new FirmaException(result.error);
}

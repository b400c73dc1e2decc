/** The methods that can be classified. All others are refused, other spellings of these too. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;

/** One of {@linkcode METHODS}. */
export type Method = typeof METHODS[number];

/** What a rule can name: a method, or the CONNECT of a tunnel that stays closed to us. */
export type RuleMethod = Method | "CONNECT";

const KNOWN: ReadonlySet<string> = new Set(METHODS);

/** Tells whether `text` is one of {@linkcode METHODS}, letter for letter (RFC 9110, 9.1). */
export function isMethod(text: string): text is Method {
  return KNOWN.has(text);
}

import type { ValuePath } from "../../store/value_path.ts";
import type { CommandForm } from "../command_form.ts";

/** What arguments may look like, and where values are, whichever program they are for. */

/**
 * A name without a dash in front, control characters, line ends of any kind, or a segment that leads
 * elsewhere. Programs take spaces around it away: what was told by how it begins would be another.
 */
export const NAME =
  /^(?![-/\s])(?!.*(?:^|\/)\.\.?(?:\/|$))(?!.*\/\/)[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}\\]{1,512}(?<!\s)$/u;
/** A name that has no segments. */
export const PLAIN_NAME = /^(?!-)[^\p{Cc}\p{Cf}\\/]{1,256}$/u;
/** A word of letters, digits and little else. */
export const WORD = /^\w[\w.-]{0,127}$/;
/** One that programs know, and nothing else. */
export const JSON_WORD = /^json$/;
export const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Paths in JSON, written with dots. */
export function paths(...texts: readonly string[]): ValuePath[] {
  return texts.map((text) => ({ text, steps: text.split(".") }));
}

/** The same under each of these in front. */
export function below(fronts: readonly string[], ...texts: readonly string[]): ValuePath[] {
  return paths(...fronts.flatMap((front) => texts.map((text) => `${front}${text}`)));
}

/** Commands that say something of the program itself. */
export function aboutItself(...words: readonly string[]): CommandForm[] {
  return words.map((word) => ({ words: [word] }));
}

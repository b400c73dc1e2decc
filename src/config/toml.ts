import { parse, TomlError } from "smol-toml";
import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import {
  pathKey,
  type Position,
  type Positions,
  type TomlPath,
  tomlPositions,
} from "./toml_positions.ts";

/** A parsed TOML document that knows where its keys stand. */
export interface TomlDocument {
  readonly file: string;
  readonly root: Readonly<Record<string, unknown>>;
  /** Where the value at `path`, or the nearest enclosing one, is written. */
  locate(path: TomlPath): FirmaError["at"];
}

function nearestPosition(positions: Positions, path: TomlPath): Position | undefined {
  for (let length = path.length; length > 0; length--) {
    const position = positions.get(pathKey(path.slice(0, length)));
    if (position) return position;
  }
}

/** Parses TOML 1.0; `file` is only named in errors. Error code `TOML_SYNTAX`. */
export function parseToml(text: string, file: string): Result<TomlDocument> {
  try {
    const root = parse(text);
    let positions: Positions | undefined;
    return ok({
      file,
      root,
      locate(path) {
        positions ??= tomlPositions(text);
        return { file, ...nearestPosition(positions, path) };
      },
    });
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // The first line says what is wrong; the rest draws the place, which `at` names.
    const state = cause.message.split("\n")[0]!.replace(/^Invalid TOML document: /, "");
    return err({
      code: "TOML_SYNTAX",
      message: `Cannot parse "${file}": ${state}`,
      at: { file, line: cause.line, column: cause.column },
      cause,
    });
  }
}

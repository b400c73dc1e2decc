import { join, resolve } from "../../core/path.ts";
import { readConfigFile } from "../../config/load.ts";
import { parseToml } from "../../config/toml.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import type { Fixture } from "../../policy/fixtures/fixture.ts";
import { isFixture, parseFixture } from "../../policy/fixtures/parse_fixture.ts";
import { isDirectory, shortPath } from "./sources.ts";

/** A fixture file that was read. */
export interface FixtureFile {
  readonly file: string;
  readonly text: string;
  readonly fixture: Result<Fixture, FirmaError[]>;
}

/** Directories that hold nobody's fixtures. */
const SKIPPED = /^(\.git|node_modules)$/;

/**
 * Reads the fixtures that `paths` name, in order. Of a directory, every `.toml`
 * file below it that has a `[fixture]` or `[[cases]]`: mappings may lie there too.
 */
export function readFixtures(paths: readonly string[]): Result<FixtureFile[], FirmaError[]> {
  const files: FixtureFile[] = [];
  const errors: FirmaError[] = [];
  for (const path of paths.map((path) => resolve(path))) {
    const found = isDirectory(path) ? fixturesBelow(path) : [path];
    const read = found.flatMap((file) => {
      const one = readFixture(file, file === path);
      if (one?.ok === false) errors.push(one.error);
      return one?.ok ? [one.value] : [];
    });
    if (read.length === 0 && errors.length === 0) {
      errors.push({
        code: "NO_FIXTURES",
        message: `Cannot test "${shortPath(path)}": it holds no fixture`,
        cure: "a fixture is a .toml file with a [fixture] or [[cases]] table",
      });
    }
    files.push(...read);
  }
  const unique = new Map(files.map((file) => [file.file, file]));
  return errors.length > 0 ? err(errors) : ok([...unique.values()]);
}

function readFixture(path: string, named: boolean): Result<FixtureFile> | undefined {
  const read = readConfigFile(path);
  if (!read.ok) return read;
  const file = shortPath(path);
  const { text } = read.value;
  if (!named) {
    const document = parseToml(text, file);
    if (document.ok && !isFixture(document.value)) return undefined;
  }
  return ok({ file, text, fixture: parseFixture(text, file) });
}

function fixturesBelow(directory: string): string[] {
  const entries = [...Deno.readDirSync(directory)].sort((a, b) => a.name < b.name ? -1 : 1);
  return entries.flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory) return SKIPPED.test(entry.name) ? [] : fixturesBelow(path);
    return entry.name.endsWith(".toml") ? [path] : [];
  });
}

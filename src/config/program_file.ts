/**
 * A file that belongs to firma, by its path in the project. This module lies two directories below
 * the root, from source as well as where `scripts/build` puts what it makes of it.
 */
export function programFile(path: string): URL {
  return new URL(`../../${path}`, import.meta.url);
}

/** A module of firma that is started by its address, as workers are, by its path in the project. */
export function programModule(path: string): URL {
  return programFile(
    Deno.build.standalone ? `dist/program/${path.replace(/\.ts$/, ".js")}` : path,
  );
}

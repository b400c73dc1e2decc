import { VERSION } from "./version.ts";

/** Where everybody finds a file of this version's repository. */
export function publishedUrl(path: string): string {
  return `https://raw.githubusercontent.com/firma/firma/v${VERSION}/${path}`;
}

/** Where editors find the JSON Schema of `firma.toml`. */
export const SCHEMA_URL = publishedUrl("docs/firma.schema.json");

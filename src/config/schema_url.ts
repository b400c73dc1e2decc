import { VERSION } from "./version.ts";

/** Where editors find the JSON Schema of `firma.toml`. */
export const SCHEMA_URL =
  `https://raw.githubusercontent.com/firma/firma/v${VERSION}/docs/firma.schema.json`;

import type { OtlpConfig } from "../../config/keys/audit_sinks.ts";
import type { Environment } from "../../config/paths.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { readPrivateFile } from "../../pki/private_file.ts";

const NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** What the request itself says; saying it twice would say it in two ways. */
const OWN = new Set(["content-type", "content-length", "content-encoding", "host", "connection"]);

/** Reads the headers that a collector wants. No error has a value in it. */
export async function otlpHeaders(
  from: OtlpConfig["headers"],
  env: Environment,
): Promise<Result<[name: string, value: string][]>> {
  if (from === undefined) return ok([]);
  if (from.from === "environment") {
    const pairs = (env[from.variable] ?? "").split(",").filter((pair) => pair.trim() !== "");
    return parse(pairs, "=", `the variable ${from.variable}`);
  }
  const text = await readPrivateFile(from.path, "headers of the collector");
  if (!text.ok) return text;
  const lines = text.value.split("\n").filter((line) => line.trim() !== "");
  return parse(lines, ":", `"${from.path}"`);
}

function parse(
  pairs: readonly string[],
  separator: string,
  where: string,
): Result<[string, string][]> {
  const headers: [string, string][] = [];
  for (const [index, pair] of pairs.entries()) {
    const at = pair.indexOf(separator);
    const name = pair.slice(0, Math.max(0, at)).trim().toLowerCase();
    const value = decode(pair.slice(at + 1).trim(), separator);
    const isValue = value !== undefined && /^[\x20-\x7e\t]*$/.test(value);
    if (at < 1 || !NAME.test(name) || OWN.has(name) || !isValue) {
      return err({
        code: "OTLP_HEADERS_INVALID",
        message: `Cannot use the headers in ${where}: number ${index + 1} is none`,
        cure: separator === ":"
          ? "write name: value on each line"
          : "write name=value with commas in between",
      });
    }
    headers.push([name, value]);
  }
  return ok(headers);
}

/** In the variable of OpenTelemetry, values are percent-encoded. */
function decode(value: string, separator: string): string | undefined {
  if (separator === ":") return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

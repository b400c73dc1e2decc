import { err, type FirmaError, ok, type Result } from "../core/result.ts";
import { nearest } from "../core/nearest.ts";
import type { RawCall } from "./call.ts";
import { quote } from "./malformed.ts";
import { METHODS } from "./method.ts";

const URL_FORM = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/?#]*)([^#]*)(#.*)?$/s;

/**
 * Reads a call as a person writes it: `POST https://api.example.com/v1?x=1`. The
 * method may be left out for GET, the scheme for https. Everything behind the
 * host is taken as it stands, so that what a careless client would send can be
 * tried; only a fragment is dropped, as clients do.
 */
export function parseRequestLine(line: string): Result<RawCall & { readonly authority: string }> {
  const words = line.trim().split(/\s+/);
  if (words.length > 2) return refuse(line, "it is more than a method and a URL");
  const url = words.at(-1)!;
  const method = words.length === 2 ? words[0]! : "GET";
  const known = [...METHODS, "CONNECT"];
  if (!known.includes(method)) {
    const meant = nearest(method, known);
    return refuse(
      line,
      `${quote(method)} is not a method`,
      meant ? `did you mean "${meant}"?` : `one of: ${known.join(", ")}`,
    );
  }
  const [, written = "https", authority = "", rest = ""] = URL_FORM.exec(url) ?? [];
  const scheme = written.toLowerCase();
  if (scheme !== "https" && scheme !== "http") {
    return refuse(line, `${quote(scheme)} is neither http nor https`);
  }
  if (authority === "") return refuse(line, "it names no host");
  if (authority.includes("@")) return refuse(line, "a user name has no place in the URL");
  const target = rest.startsWith("/") ? rest : `/${rest}`;
  return ok({ method, scheme, authority, target });
}

function refuse(line: string, state: string, cure?: string): { ok: false; error: FirmaError } {
  return err({
    code: "REQUEST_LINE",
    message: `Cannot read the request ${quote(line)}: ${state}`,
    cure: cure ?? "write it as 'POST https://api.example.com/path'",
  });
}

import type { Checked } from "../../reader.ts";
import { text, type ValueType } from "../../value_type.ts";

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Checks the address of a service that gets secrets: HTTPS, or plain HTTP to this very machine
 * (an agent of Vault, for instance). Gives it without a slash at its end.
 */
export function serviceUrl(text: string): Checked<string> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) return { state: `"${text}" is not a URL` };
  // It would stand in errors, and in what operators show to each other.
  if (url.username !== "" || url.password !== "") {
    return {
      state: "there is a user or a password in it",
      cure: "write them to files of their own",
    };
  }
  if (url.hash !== "") return { state: `"${text}" has a fragment` };
  if (url.protocol === "https:" || (url.protocol === "http:" && LOOPBACK.test(url.hostname))) {
    return { value: url.href.replace(/\/+$/, "") };
  }
  return {
    state: `"${text}" is not https, so whoever is in between would read the secret`,
    cure: "write https://…; http is for addresses of this machine alone",
  };
}

/** An address that {@linkcode serviceUrl} takes. */
export const SERVICE_URL: ValueType<string> = text<string>(
  "URL",
  { pattern: "^https?://" },
  serviceUrl,
);

/** Where a service listens, as permissions name it: `host:port`. */
export function serviceAddress(url: string): string {
  const { hostname, port, protocol } = new URL(url);
  return `${hostname}:${port || (protocol === "https:" ? 443 : 80)}`;
}

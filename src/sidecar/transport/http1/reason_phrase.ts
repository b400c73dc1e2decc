import { STATUS_CODES } from "node:http";

/** The usual phrase for a status code. */
export function reasonPhrase(status: number): string {
  return STATUS_CODES[status] ?? "Unknown";
}

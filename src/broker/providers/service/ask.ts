import type { FirmaError, Result } from "../../../core/result.ts";

/** A request to the service that issues credentials. */
export interface ServiceRequest {
  readonly method: "GET" | "POST" | "PUT";
  /** Checked by {@linkcode serviceUrl} when the configuration was read. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What the service answered; its body is text and not too long, and nothing more is known of it. */
export interface ServiceAnswer {
  readonly status: number;
  /** Media type without parameters, in lower case; empty when there is none. */
  readonly mediaType: string;
  readonly text: string;
}

/**
 * Asks a service and gives its whole answer, whatever the status. Follows no redirect, waits no
 * longer than its time-out, reads no more than its limit. An error tells nothing of the request
 * but where it went.
 */
export type AskService = (
  request: ServiceRequest,
  signal: AbortSignal,
) => Promise<Result<ServiceAnswer, FirmaError>>;

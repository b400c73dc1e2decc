import { err, ok, type Result } from "../core/result.ts";
import { invalidRequest } from "./session_body.ts";

/** More than any request of the control API needs. */
export const MOST_BODY_BYTES = 64 * 1024;

/** Reads the body of a request as JSON, and no more of it than any such request needs. */
export async function readJson(request: Request): Promise<Result<unknown>> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const piece of request.body ?? []) {
      length += piece.length;
      if (length > MOST_BODY_BYTES) return tooLarge();
      pieces.push(piece);
    }
    const text = await new Blob(pieces as BlobPart[]).text();
    return ok(JSON.parse(text));
  } catch {
    return invalidRequest("it is not JSON");
  }
}

function tooLarge(): Result<never> {
  return err({
    code: "BODY_TOO_LARGE",
    message: `Cannot use the request: it has more than ${MOST_BODY_BYTES / 1024} KiB`,
  });
}

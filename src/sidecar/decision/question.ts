import { err, ok, type Result } from "../../core/result.ts";
import type { Question } from "../worker/messages.ts";

const LONGEST_SESSION = 128;
const LONGEST_TARGET = 64 * 1024;
const MOST_HEADERS = 256;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}$/;
const VALUE = /^[^\0\r\n]{0,16384}$/;

/**
 * A question that makes sense. What a call itself may look like is for the stages to say, which
 * see it as they see one that came over a connection; this only keeps out what no connection
 * could have brought.
 */
export function question(
  asked: Omit<Question, "headers"> & { readonly headers: Readonly<Record<string, string>> },
): Result<Question> {
  const { sessionId, method, authority, target } = asked;
  if (sessionId === "") return refuse("no session is named");
  if (sessionId.length > LONGEST_SESSION) return refuse("the name of the session is too long");
  if (!NAME.test(method)) return refuse("the method is not one");
  if (authority === "" || !/^[\x21-\x7e]{1,512}$/.test(authority)) {
    return refuse("the host is none");
  }
  if (!/^\/[\x21-\x7e]*$/.test(target) || target.length > LONGEST_TARGET) {
    return refuse("the path is not in origin form");
  }
  const headers = Object.entries(asked.headers);
  if (headers.length > MOST_HEADERS) return refuse("there are too many headers");
  for (const [name, value] of headers) {
    if (!NAME.test(name) || !VALUE.test(value)) return refuse("a header is malformed");
  }
  return ok({ ...asked, headers: headers.map(([name, value]) => [name.toLowerCase(), value]) });
}

function refuse(state: string): Result<never> {
  return err({ code: "INVALID_REQUEST", message: `Cannot evaluate the request: ${state}` });
}

import { isId } from "./id.ts";

/** Short, and nothing that a terminal or a path could stumble over. */
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/i;

/** Whether people may call an agent so. What looks like an identifier is one and no name. */
export function isAgentName(text: string): boolean {
  return NAME.test(text) && !isId("agt", text);
}

/** Short, and nothing that a terminal or a path could stumble over. */
const NAME = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/i;
/** The form of every identifier, of whatever kind. */
const IDENTIFIER = /^[a-z]+_[0-9a-z]{26}$/i;

/** Whether people may call an agent so. What looks like an identifier is one and no name. */
export function isAgentName(text: string): boolean {
  return NAME.test(text) && !IDENTIFIER.test(text);
}

/**
 * Where an error comes from, for a log: its kind and its stack, and nothing that it says. That may
 * quote what was sent or read, and with it a secret.
 */
export function errorPlace(reason: unknown): string {
  if (!(reason instanceof Error)) return typeof reason;
  const { name, message, stack = "" } = reason;
  const at = stack.lastIndexOf(message);
  // A message that was changed later stands somewhere in there as it was.
  const frames = at < 0 ? "" : stack.slice(at + message.length).trimEnd();
  return /^[A-Za-z]{1,64}$/.test(name) ? `${name}${frames}` : `Error${frames}`;
}

/** Those of the named variables that are set. */
export function pickVariables(
  names: readonly string[],
  variable: (name: string) => string | undefined,
): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = variable(name);
    if (value !== undefined) picked[name] = value;
  }
  return picked;
}

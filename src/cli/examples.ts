/** Examples as every help ends with them; each line is one to type. */
export function examples(...lines: readonly string[]): string {
  const title = lines.length === 1 ? "Example" : "Examples";
  return `\n${title}:\n${lines.map((line) => `  ${line}\n`).join("")}`;
}

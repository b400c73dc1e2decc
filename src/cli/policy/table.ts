import { escapeForTerminal } from "../../core/escape.ts";

/** Lines of text columns, each as wide as it must be but the last. The first row is the heading. */
export function textTable(rows: readonly (readonly (string | number)[])[]): string {
  const cells = rows.map((row) => row.map((cell) => escapeForTerminal(String(cell))));
  const widths = cells[0]!.map((_, column) =>
    Math.max(...cells.map((row) => row[column]?.length ?? 0))
  );
  const numeric = cells[0]!.map((_, column) =>
    rows.slice(1).every((row) => typeof row[column] === "number")
  );
  return cells.map((row) =>
    row.map((cell, column) =>
      numeric[column] ? cell.padStart(widths[column]!) : cell.padEnd(widths[column]!)
    ).join("  ").trimEnd() + "\n"
  ).join("");
}

/** Lines around a change that are shown with it. */
const CONTEXT = 3;

/** More differences than this are shown as one: nobody reads them line by line. */
const MOST_EDITS = 500;

type Edit = { readonly kind: " " | "-" | "+"; readonly line: string };

/**
 * What makes `after` of `before`, as a unified diff under the name `path`; empty
 * when nothing does. A side that is `undefined` is a file that is not there.
 */
export function unifiedDiff(
  path: string,
  before: string | undefined,
  after: string | undefined,
): string {
  if (before === after) return "";
  const edits = lineEdits(lines(before), lines(after));
  const names = [
    before === undefined ? "/dev/null" : path,
    after === undefined ? "/dev/null" : path,
  ];
  return [`--- ${names[0]}`, `+++ ${names[1]}`, ...hunks(edits), ""].join("\n");
}

function lines(text: string | undefined): string[] {
  if (text === undefined || text === "") return [];
  const all = text.split("\n");
  if (all.at(-1) === "") all.pop();
  else all.push(`${all.pop()!}\n\\ No newline at end of file`);
  return all;
}

/** The shortest edit of one list of lines into another (Myers, 1986). */
function lineEdits(before: readonly string[], after: readonly string[]): Edit[] {
  const trace = shortestPath(before, after);
  if (trace === undefined) {
    return [
      ...before.map((line): Edit => ({ kind: "-", line })),
      ...after.map((line): Edit => ({ kind: "+", line })),
    ];
  }
  const edits: Edit[] = [];
  let [x, y] = [before.length, after.length];
  for (let edit = trace.length - 1; edit >= 0; edit--) {
    const reached = trace[edit]!;
    const diagonal = x - y;
    const isInsert = diagonal === -edit ||
      diagonal !== edit && (reached.get(diagonal - 1) ?? -1) < (reached.get(diagonal + 1) ?? -1);
    const previous = isInsert ? diagonal + 1 : diagonal - 1;
    const fromX = edit === 0 ? 0 : reached.get(previous)!;
    const fromY = edit === 0 ? 0 : fromX - previous;
    while (x > fromX && y > fromY) {
      edits.push({ kind: " ", line: before[--x]! });
      y--;
    }
    if (edit > 0) {
      edits.push(isInsert ? { kind: "+", line: after[--y]! } : { kind: "-", line: before[--x]! });
    }
  }
  return edits.reverse();
}

/** How far each diagonal was reached before each further edit; nothing beyond many of them. */
function shortestPath(
  before: readonly string[],
  after: readonly string[],
): ReadonlyMap<number, number>[] | undefined {
  let reached = new Map([[1, 0]]);
  const trace: ReadonlyMap<number, number>[] = [];
  for (let edit = 0; edit <= MOST_EDITS; edit++) {
    trace.push(reached);
    const next = new Map(reached);
    for (let diagonal = -edit; diagonal <= edit; diagonal += 2) {
      const isInsert = diagonal === -edit ||
        diagonal !== edit && (next.get(diagonal - 1) ?? -1) < (next.get(diagonal + 1) ?? -1);
      let x = isInsert ? next.get(diagonal + 1)! : next.get(diagonal - 1)! + 1;
      let y = x - diagonal;
      while (x < before.length && y < after.length && before[x] === after[y]) {
        [x, y] = [x + 1, y + 1];
      }
      next.set(diagonal, x);
      if (x >= before.length && y >= after.length) return trace;
    }
    reached = next;
  }
}

function hunks(edits: readonly Edit[]): string[] {
  const changed = edits.flatMap(({ kind }, index) => kind === " " ? [] : [index]);
  const output: string[] = [];
  for (let first = 0; first < changed.length;) {
    let last = first;
    while (last + 1 < changed.length && changed[last + 1]! - changed[last]! <= 2 * CONTEXT + 1) {
      last++;
    }
    const from = Math.max(0, changed[first]! - CONTEXT);
    const to = Math.min(edits.length, changed[last]! + CONTEXT + 1);
    output.push(header(edits, from, to));
    output.push(...edits.slice(from, to).map(({ kind, line }) => kind + line));
    first = last + 1;
  }
  return output;
}

function header(edits: readonly Edit[], from: number, to: number): string {
  const range = (absent: "-" | "+") => {
    const before = edits.slice(0, from).filter(({ kind }) => kind !== absent).length;
    const length = edits.slice(from, to).filter(({ kind }) => kind !== absent).length;
    const start = length === 0 ? before : before + 1;
    return length === 1 ? `${start}` : `${start},${length}`;
  };
  return `@@ -${range("+")} +${range("-")} @@`;
}

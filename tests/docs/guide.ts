/** A fenced block of a guide. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** What `name` caught last in the prose before it: the file that the block is. */
  readonly file: string | undefined;
}

/** The fenced blocks of a guide; `name` catches names of files in prose. */
export function blocks(guide: string, name: RegExp): Block[] {
  const found: Block[] = [];
  let before = 0;
  for (const match of guide.matchAll(/^```(\w+)\n([^]*?)^```$/gm)) {
    const names = [...guide.slice(before, match.index).matchAll(name)];
    found.push({ language: match[1]!, text: match[2]!, file: names.at(-1)?.[1] });
    before = match.index + match[0].length;
  }
  return found;
}

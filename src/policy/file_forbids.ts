import { splitStatements } from "./statement.ts";

/** The classes that shape what a sandbox shows. */
export const FILE_CLASSES = { read: "filesystem.read", write: "filesystem.write" } as const;

/** A policy that may forbid to read or write files. */
export interface FileForbid {
  readonly file: string;
  /** Where it begins in its file, in UTF-16 units. */
  readonly start: number;
  /** Whether what it says depends on who the agent is. */
  readonly namesPrincipal: boolean;
}

const TOKEN = /\/\/[^\n\r]*|"(?:[^"\\]|\\.)*"?|[A-Za-z_]\w*/gs;
const NAMES = Object.values(FILE_CLASSES).map((name) => `"${name}"`);

/**
 * The policies that forbid something and name one of {@linkcode FILE_CLASSES}. Told from the text
 * alone, without Cedar, because every start asks and most policies say nothing of files; a string
 * with an escape in it may be any name.
 */
export function fileForbids(
  policies: readonly { readonly file: string; readonly text: string }[],
): FileForbid[] {
  return policies.flatMap(({ file, text }) =>
    splitStatements(text).flatMap(({ text, start }) => {
      const tokens = text.match(TOKEN)?.filter((token) => !token.startsWith("//")) ?? [];
      if (!tokens.includes("forbid")) return [];
      const names = tokens.some((token) =>
        NAMES.includes(token) || token.startsWith('"') && token.includes("\\")
      );
      if (!names) return [];
      const plain = text.replace(TOKEN, (token) => /^["/]/.test(token) ? '""' : token);
      const words = plain.match(/\bprincipal\b/g) ?? [];
      const namesPrincipal = words.length > 1 || /\bprincipal\s*(?:==|in\b|is\b)/.test(plain);
      return [{ file, start, namesPrincipal }];
    })
  );
}

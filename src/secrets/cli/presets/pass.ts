import type { StoreProgram } from "../store_command.ts";
import { aboutItself, NAME } from "./names.ts";

const entry = { like: NAME };
const lines = { output: { kind: "lines" }, reads: [0] } as const;
const listing = [{ ...entry, isOptional: true }];

/** zx2c4 pass 1.7: without a command in front, an operand is an entry to be shown. */
export const PASS: StoreProgram = {
  sensitive: [
    { words: ["show"], operands: [entry], ...lines },
    // An extension of that name would be run otherwise.
    { words: [], operands: [entry], ...lines, runsWith: ["show"] },
  ],
  safe: [
    { words: [] },
    // Both are `show` by another name, which shows what is in an entry, and lists folders alone.
    { words: ["ls"], operands: listing, inFolders: true },
    { words: ["list"], operands: listing, inFolders: true },
    { words: ["find"], operands: [entry] },
    ...aboutItself("version", "--version", "help", "--help"),
  ],
};

const PASSWORD = { "-o|--password": "flag" } as const;

/** gopass 1.15. */
export const GOPASS: StoreProgram = {
  sensitive: [
    { words: ["show"], operands: [entry], ...lines },
    { words: [], operands: [entry], ...lines, runsWith: ["show"] },
    {
      words: ["show"],
      operands: [entry],
      options: PASSWORD,
      needs: ["-o"],
      output: { kind: "value" },
      reads: [0],
    },
  ],
  safe: [
    ...["ls", "list"].map((word) => ({
      words: [word],
      operands: listing,
      options: { "-f|--flat": "flag" } as const,
      inFolders: true,
    })),
    // Not "find": it shows what is in the only entry that it finds.
    ...aboutItself("version", "--version", "help", "--help"),
  ],
};

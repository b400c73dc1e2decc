import { isAbsolute } from "../../../core/path.ts";
import type { Checked } from "../../reader.ts";
import { text } from "../../value_type.ts";

/** A program by its path: what a name stands for is for whoever may write to PATH to say. */
export function checkProgram(value: string): Checked<string> {
  if (value.includes("\0")) return { state: "a path cannot contain NUL" };
  if (isAbsolute(value)) return { value };
  return {
    state: `"${value}" is not the absolute path of a program`,
    cure: `command -v ${/^[\w.-]+$/.test(value) ? value : "PROGRAM"} prints it`,
  };
}

/** The absolute path of a program. */
export const PROGRAM = text<string>("absolute path", { pattern: "^/" }, checkProgram);

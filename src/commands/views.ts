import type { Execution } from "../core/local_exec.ts";
import { basename } from "../core/path.ts";
import { readArguments } from "./arguments.ts";
import type { CommandView } from "./table.ts";

/** One file with many programs in it, which its first argument names. */
const MANY_IN_ONE: ReadonlySet<string> = new Set(["busybox", "toybox"]);

/** Loads a program without executing it, which the gate would see. */
const LOADERS: ReadonlySet<string> = new Set([
  "ld.so",
  "ld-linux.so.2",
  "ld-linux-x86-64.so.2",
  "ld-linux-aarch64.so.1",
  "ld-musl-x86_64.so.1",
  "ld-musl-aarch64.so.1",
]);
const LOADER_OPTIONS: ReadonlySet<string> = new Set([
  "--library-path",
  "--preload",
  "--argv0",
  "--audit",
  "--inhibit-rpath",
  "--glibc-hwcaps-mask",
  "--glibc-hwcaps-prepend",
]);

/** Runs a script that its first operand names, or a module behind `-m`. */
const RUNNERS: ReadonlySet<string> = new Set(["node", "nodejs", "python", "python3"]);

/** Programs that do what their arguments name, without executing it. */
export const CARRIERS: readonly string[] = [...MANY_IN_ONE, ...LOADERS, ...RUNNERS];

/** The commands that an execution is, under every name that it goes by. */
export function viewsOf(execution: Execution): CommandView[] {
  const { names, argv, path, interpreter } = execution;
  const args = argv.slice(1);
  const views = names.map((name) => ({ name, args }));
  if (interpreter !== undefined) {
    const { argument } = interpreter;
    const all = [...(argument === undefined ? [] : [argument]), path, ...args];
    views.push(...interpreter.names.map((name) => ({ name, args: all })));
  }
  const carried = views.flatMap(carriedBy);
  return [...views, ...carried, ...carried.flatMap(carriedBy)];
}

function carriedBy({ name, args }: CommandView): CommandView[] {
  const [first = ""] = args;
  if (MANY_IN_ONE.has(name) && first !== "") {
    return [{ name: basename(first), args: args.slice(1) }];
  }
  // Which of its versions is to do it: `cargo +nightly publish`.
  if (name === "cargo" && first.startsWith("+")) return [{ name, args: args.slice(1) }];
  if (LOADERS.has(name)) return firstOperand(args, LOADER_OPTIONS);
  if (!RUNNERS.has(name)) return [];
  const module = args.indexOf("-m");
  const named = module < 0 ? undefined : args[module + 1];
  const modules = named === undefined ? [] : [{ name: named, args: args.slice(module + 2) }];
  return [...modules, ...firstOperand(args, new Set())];
}

/** Each argument that may be the first operand, with what follows. */
function firstOperand(args: readonly string[], withValue: ReadonlySet<string>): CommandView[] {
  const views: CommandView[] = [];
  for (const argument of readArguments(args, withValue)) {
    if (argument.kind !== "operand") continue;
    const { text, isDoubtful } = argument;
    views.push({ name: basename(text), args: args.slice(args.indexOf(text) + 1) });
    if (!isDoubtful) break;
  }
  return views;
}

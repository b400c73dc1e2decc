/** Field 22 of `/proc/PID/stat`, counted without the two fields up to the program's name. */
const START_FIELD = 22 - 3;

/**
 * When a process started, in clock ticks since the machine did (proc_pid_stat(5), field 22);
 * `undefined` when there is none of that number. Together with the number it names one process
 * for good: a number alone is given again.
 */
export function processStart(pid: number): number | undefined {
  try {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    // The name of the program is in parentheses, and may hold anything, parentheses too.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A process that has ended stays in the list until somebody asks how.
    if (fields[0] === "Z" || fields[0] === "X") return undefined;
    const start = Number(fields[START_FIELD]);
    return Number.isSafeInteger(start) ? start : undefined;
  } catch {
    return undefined;
  }
}

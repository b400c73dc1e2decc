import type { Rlimits } from "../limits/plan.ts";

/** Time that a process may take to end after the kernel asked it to, in seconds of a processor. */
const CPU_GRACE = 5;

/** Ends the shell: a limit that does not hold must not look as if it did. */
const OR_END = "|| exit 125; ";

/** Lines of shell that set what the shell and all that it starts may use. */
export function rlimitScript(rlimits: Rlimits): string {
  const { processes, dataBytes, cpuSeconds, openFiles } = rlimits;
  return [
    // Data is counted in KiB.
    dataBytes === undefined ? "" : `ulimit -d ${Math.ceil(dataBytes / 1024)} ${OR_END}`,
    cpuSeconds === undefined
      ? ""
      // Where the second one fails, there is a stricter one already.
      : `ulimit -S -t ${cpuSeconds} ${OR_END}ulimit -H -t ${cpuSeconds + CPU_GRACE} 2>/dev/null; `,
    openFiles === undefined ? "" : `ulimit -n ${openFiles} ${OR_END}`,
    // -u to bash and zsh, -p to dash and busybox. The last one: from here on each fork counts.
    processes === undefined
      ? ""
      : `{ ulimit -u ${processes} || ulimit -p ${processes}; } 2>/dev/null ${OR_END}`,
  ].join("");
}

const SIGTTOU = 22;
const SIG_DFL = 0n;
const SIG_IGN = 1n;
const O_RDWR = 2;

const SYMBOLS = {
  close: { parameters: ["i32"], result: "i32" },
  getpgrp: { parameters: [], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  signal: { parameters: ["i32", "usize"], result: "usize" },
  tcgetpgrp: { parameters: ["i32"], result: "i32" },
  tcsetpgrp: { parameters: ["i32", "i32"], result: "i32" },
} as const;

/**
 * Remembers that this process has the terminal, and returns how to get it back. A shell in the
 * sandbox takes the terminal for its own jobs, and cannot return it when it ends: the number of
 * our process group means nothing where it lives.
 */
export function holdForeground(): () => void {
  const library = Deno.dlopen("libc.so.6", SYMBOLS);
  const libc = library.symbols;
  const terminal = libc.open(new TextEncoder().encode("/dev/tty\0"), O_RDWR);
  const group = libc.getpgrp();
  const held = terminal >= 0 && libc.tcgetpgrp(terminal) === group;
  return () => {
    if (held && libc.tcgetpgrp(terminal) !== group) {
      libc.signal(SIGTTOU, SIG_IGN); // which a process in the background would be stopped by
      libc.tcsetpgrp(terminal, group);
      libc.signal(SIGTTOU, SIG_DFL);
    }
    if (terminal >= 0) libc.close(terminal);
    library.close();
  };
}

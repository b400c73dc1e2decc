/**
 * What puts the terminal right when this process is killed outright and can do nothing itself: a
 * shell that remembers how the terminal was, and waits for a word. Without one, whoever should have
 * said it is gone. The modes of the line belong to a shell with job control as soon as that has
 * taken the terminal back; a group that is gone was one of the sandbox. Screens, mouse and pasting
 * no shell puts right. 1047 rather than 1049, which would move the cursor of a terminal that shows
 * no other screen.
 */
const SCRIPT = `trap "" INT QUIT TERM HUP TSTP TTIN TTOU
saved=$(stty -g </dev/tty) || exit
echo ready
read -r _ && exit
read -r _ _ _ _ group _ _ front _ </proc/$$/stat
[ "$group" != "$front" ] && kill -0 "-$front" || stty "$saved" </dev/tty
printf '\\033[?1000l\\033[?1002l\\033[?1003l\\033[?1006l\\033[?1004l\\033[?2004l\\033[?1047l' >/dev/tty
printf '\\033[?25h\\033[?1l\\033>\\033[m' >/dev/tty`;

/** Sees to the terminal of a run. */
export interface TerminalGuard {
  /** Resolves when it knows how the terminal was; nothing may change that before. */
  readonly ready: Promise<void>;
  /** The terminal is the shell's again, as the command left it. */
  release(): Promise<void>;
}

const NOTHING: TerminalGuard = { ready: Promise.resolve(), release: () => Promise.resolve() };

/** Guards the terminal, if there is one, against the sudden end of this process. */
export function guardTerminal(): TerminalGuard {
  if (!Deno.stdin.isTerminal()) return NOTHING;
  let shell: Deno.ChildProcess;
  try {
    shell = new Deno.Command("/bin/sh", {
      args: ["-c", SCRIPT],
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin" },
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
  } catch {
    return NOTHING; // nothing is lost that a run cannot do without
  }
  const output = shell.stdout.getReader();
  return {
    // Ends as well where there is no terminal after all.
    ready: output.read().then(() => {}, () => {}),
    async release() {
      const word = shell.stdin.getWriter();
      await word.write(new Uint8Array([10])).catch(() => {});
      await word.close().catch(() => {});
      await output.cancel().catch(() => {});
      await shell.status;
    },
  };
}

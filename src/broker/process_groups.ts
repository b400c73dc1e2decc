const SIGKILL = 9;

/** Where the C library is, by the system. */
const LIBRARIES: Partial<Readonly<Record<typeof Deno.build.os, string>>> = {
  linux: "libc.so.6",
  darwin: "libSystem.dylib",
};

/** Ends a process that leads a group, with all that is in the group. Never throws. */
export type EndGroup = (leader: number) => void;

/**
 * How process groups are ended. To be had while `ffi` is permitted, and good for as long as the
 * process lives: Deno itself ends groups only for those who may run every program. Where there is no
 * such library, nothing is ended.
 */
export function groupEnder(): EndGroup {
  const library = LIBRARIES[Deno.build.os];
  if (library === undefined) return () => {};
  try {
    const { symbols } = Deno.dlopen(
      library,
      { kill: { parameters: ["i32", "i32"], result: "i32" } } as const,
    );
    // 0 and 1 would mean the group of firma itself, and everybody.
    return (leader) => void (leader > 1 && symbols.kill(-leader, SIGKILL));
  } catch {
    return () => {}; // another libc
  }
}

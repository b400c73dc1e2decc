const PR_SET_DUMPABLE = 4;

/**
 * Has the kernel keep the memory of this process to itself: it writes no core file, and no other
 * process of this user may look into it (`prctl(2)`). Programs that it starts are not covered. Says
 * whether it worked; elsewhere than on Linux it does not.
 */
export function makeUndumpable(): boolean {
  if (Deno.build.os !== "linux") return false;
  try {
    const libc = Deno.dlopen(
      "libc.so.6",
      {
        prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
      } as const,
    );
    const result = libc.symbols.prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n);
    libc.close();
    return result === 0;
  } catch {
    return false; // another libc
  }
}

const PAUSE_MS = 10;

/** Hands everyone who connects to `take`. Resolves once the listener is closed; never rejects. */
export async function acceptEach<C extends Deno.Conn>(
  listener: { accept(): Promise<C> },
  take: (conn: C) => void,
): Promise<void> {
  for (;;) {
    try {
      take(await listener.accept());
    } catch (error) {
      if (error instanceof Deno.errors.BadResource) return;
      // Too many files are open, say: those who wait are served when there is room again.
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }
}

/** What each attempt came to: `worked`, `refused`, or the error that had nothing to do with it. */
export type Outcomes = Readonly<Record<string, string>>;

/** What a part of firma said of itself from inside. */
export interface PartReport {
  /** The same attempts before anything was given up, where the part could do all of it once. */
  readonly before?: Outcomes;
  /** What it must not be able to do. */
  readonly attempts: Outcomes;
  /** What it must be able to do, or the attempts prove nothing. */
  readonly rights?: Outcomes;
}

/** Something to try, and what it is called. */
export type Attempts<T = void> = Readonly<Record<string, (given: T) => unknown>>;

/** What a server of firma gives up once it serves, each by something that needs it. */
export const GIVEN_UP: Attempts = {
  "run a program": () => new Deno.Command("/bin/true").outputSync(),
  "run by way of node:child_process": async () => {
    const { status } = (await import("node:child_process")).spawnSync("/bin/true");
    // It does not say why; that it can be done at all, it has shown before.
    if (status !== 0) throw new Deno.errors.NotCapable("it was not run");
  },
  "load a library": () => Deno.dlopen("libc.so.6", {}).close(),
  "ask for the system": () => Deno.hostname(),
  "read the memory of others": () => Deno.readTextFileSync(`/proc/${Deno.ppid}/environ`),
  "ask the operator": async () => {
    const { state } = await Deno.permissions.request({ name: "run" });
    if (state !== "granted") throw new Deno.errors.NotCapable(state);
  },
};

/** What a part that does nothing but pass on has given up as well. */
export const EVERYTHING: Attempts = {
  ...GIVEN_UP,
  "read a file": () => Deno.readTextFileSync("/etc/hostname"),
  "write a file": () => Deno.removeSync(Deno.makeTempFileSync()),
  "read the environment": () => Deno.env.get("PATH"),
  "listen": () => Deno.listen({ hostname: "127.0.0.1", port: 0 }).close(),
};

/** By Deno's permissions, or because no module outside of firma is one. */
const REFUSED = /NotCapable|Requires .* access|permission|Module not found/i;

/** Makes the attempts one after the other. */
export async function tryAll<T>(attempts: Attempts<T>, given: T): Promise<Outcomes> {
  const outcomes: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt(given);
      outcomes[name] = "worked";
    } catch (cause) {
      const { name: kind, message } = cause as Error;
      outcomes[name] = REFUSED.test(`${kind} ${message}`) ? "refused" : `${kind}: ${message}`;
    }
  }
  return outcomes;
}

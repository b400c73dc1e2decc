import { dirname } from "../../core/path.ts";
import { err, ok, type Result } from "../../core/result.ts";
import { acceptEach } from "../../net/accept.ts";
import { closeQuietly } from "../../net/close_quietly.ts";

/** Longest path of a unix socket on Linux, without its closing NUL. */
const LONGEST_PATH = 107;

/** What takes connections. */
export interface Listener {
  /** As in `listen_addr`, with the port that was taken. */
  readonly address: string;
  /** Stops to listen. Connections that were taken go on. */
  close(): Promise<void>;
}

/**
 * Listens on a unix socket that only this user can open (mode 0600). A socket that
 * somebody listens on already is left alone.
 */
export async function listenUnix(
  path: string,
  take: (conn: Deno.UnixConn) => void,
): Promise<Result<Listener>> {
  const draft = `${path}.${crypto.randomUUID().slice(0, 8)}`;
  if (new TextEncoder().encode(draft).length > LONGEST_PATH) {
    return refuse(path, "its path is too long for a socket", "use a shorter path");
  }
  if (await isAnswered(path)) {
    return refuse(path, "somebody listens there already", "end the other Authority first");
  }
  let listener: Deno.UnixListener | undefined;
  try {
    await Deno.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    listener = Deno.listen({ transport: "unix", path: draft });
    // Nobody else may open it, not even between its making and this: it gets its name afterwards.
    await Deno.chmod(draft, 0o600);
    await Deno.rename(draft, path);
  } catch (cause) {
    listener?.close();
    await Deno.remove(draft).catch(() => {});
    return refuse(path, cause instanceof Error ? cause.message : String(cause), undefined);
  }
  const { ino } = await Deno.lstat(path);
  const accepting = acceptEach(listener, take);
  return ok({
    address: `unix://${path}`,
    close: async () => {
      closeQuietly(listener);
      await accepting;
      const there = await Deno.lstat(path).catch(() => undefined);
      if (there?.ino === ino) await Deno.remove(path);
    },
  });
}

async function isAnswered(path: string): Promise<boolean> {
  try {
    (await Deno.connect({ transport: "unix", path })).close();
    return true;
  } catch {
    return false;
  }
}

function refuse(path: string, state: string, cure: string | undefined): Result<never> {
  return err({
    code: "LISTEN_FAILED",
    message: `Cannot listen on "unix://${path}": ${state}`,
    ...(cure && { cure }),
  });
}

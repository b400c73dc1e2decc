import { ensurePrivateDirectory } from "../config/paths.ts";
import { giveUpPermissions, MONITOR_GIVES_UP } from "../config/permissions.ts";
import { join } from "../core/path.ts";
import { FirmaException } from "../core/result.ts";
import type { Live } from "../monitor/live.ts";
import { MonitorServer } from "../monitor/web/server.ts";
import type { MonitorFlags } from "./monitor_flags.ts";
import { print, printNotice } from "./output.ts";

/** Serves the page until `signal` aborts, and invites whoever started it. */
export async function serveMonitor(
  live: Live,
  { port = 0, open = true }: MonitorFlags,
  signal: AbortSignal,
): Promise<void> {
  const server = listen(live, port);
  const address = server.invitation!;
  try {
    print(`firma monitor: ${address}\n`);
    printNotice("info", "the address is good for one visit; Ctrl-C ends the page");
    using _invitation = open && canOpen() ? openBrowser(address, live.options.stateDir) : undefined;
    await giveUpPermissions(MONITOR_GIVES_UP);
    await live.run(signal);
  } finally {
    await server.close();
  }
}

function listen(live: Live, port: number): MonitorServer {
  try {
    return new MonitorServer(live, port);
  } catch (cause) {
    throw new FirmaException({
      code: "PORT_TAKEN",
      message: `Cannot serve the page on port ${port}: ${
        cause instanceof Error ? cause.message : cause
      }`,
      cure: "choose another --port, or leave it out for one that is free",
      cause,
    });
  }
}

/** Whether somebody sits at this machine who could see a browser. */
function canOpen(): boolean {
  if (!Deno.stdout.isTerminal() || Deno.env.get("SSH_CONNECTION")) return false;
  if (Deno.build.os === "darwin") return true;
  return Boolean(Deno.env.get("DISPLAY") || Deno.env.get("WAYLAND_DISPLAY"));
}

/**
 * Opens the address in a browser, by a file that only this user can read: the
 * command line of a browser is for everybody on the machine to see.
 */
function openBrowser(address: string, stateDir: string): Disposable {
  const file = join(stateDir, `monitor-${crypto.randomUUID()}.html`);
  const remove = () => {
    try {
      Deno.removeSync(file);
    } catch {
      // it was not written
    }
  };
  try {
    const made = ensurePrivateDirectory(stateDir);
    if (!made.ok) throw new FirmaException(made.error);
    const page = `<!doctype html><meta http-equiv="refresh" content="0;url=${address}">\n`;
    Deno.writeTextFileSync(file, page, { createNew: true, mode: 0o600 });
    const program = Deno.build.os === "darwin" ? "open" : "xdg-open";
    new Deno.Command(program, { args: [file], stdin: "null", stdout: "null", stderr: "null" })
      .spawn().unref();
  } catch {
    printNotice("info", "no browser can be opened from here; open the address yourself");
  }
  return { [Symbol.dispose]: remove };
}

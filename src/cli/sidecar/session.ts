import { Command } from "commander";
import { isAgentName } from "../../core/agent_name.ts";
import { isId } from "../../core/id.ts";
import { shellWord } from "../../core/shell.ts";
import {
  closeProxySession,
  listSessions,
  openProxySession,
  type ProxySession,
} from "../../run/proxy_session.ts";
import { environment } from "../environment.ts";
import { examples } from "../examples.ts";
import { print, printNotice } from "../output.ts";
import { textTable } from "../policy/table.ts";
import { withGlobals } from "../with_globals.ts";
import { refuse, type SidecarFlags } from "./project.ts";

const STATUS = { fine: 0, failed: 1, usage: 2 } as const;

const HELP = `
For agents that run without a sandbox: they reach the Sidecar by a proxy on this machine, with a
password of their own. Nothing but that address keeps such an agent to policy; firma run does more.
Wants mode = "http_proxy" in [sidecar.interceptor]. The password is printed once, here.
${
  examples(
    'eval "$(firma sidecar session open --agent builder --env)"',
    "firma sidecar session list",
    "firma sidecar session close ses_01jd8xk5w7e0v9c3b2n4m6q8rs",
  )
}`;

const STATE_DIR = [
  "--state-dir <path>",
  "directory of running processes (default: FIRMA_STATE_DIR)",
] as const;

interface SessionFlags extends SidecarFlags {
  readonly agent?: string;
  readonly env?: boolean;
  readonly json?: boolean;
}

/** `firma sidecar session open | list | close` */
export function sessionCommand(): Command {
  return new Command("session")
    .description("Open, list and close the sessions of the Sidecar that runs.")
    .helpCommand(false)
    .addHelpText("after", HELP)
    .addCommand(openCommand())
    .addCommand(listCommand())
    .addCommand(closeCommand());
}

function openCommand(): Command {
  return new Command("open")
    .description("Open a session for an agent without a sandbox.")
    .requiredOption("--agent <name>", "the agent: its name in the Authority's registry, or its id")
    .option("--env", "print what the agent's environment has to hold, for a shell")
    .option(...STATE_DIR)
    .addHelpText(
      "after",
      examples(
        "firma sidecar session open --agent builder",
        'eval "$(firma sidecar session open --agent builder --env)"',
      ),
    )
    .action(async (_flags: unknown, command: Command) => {
      Deno.exitCode = await open(withGlobals<SessionFlags>(command));
    });
}

async function open(flags: SessionFlags): Promise<number> {
  const agent = flags.agent ?? "";
  if (!isAgentName(agent) && !isId("agt", agent)) {
    const message = `Cannot use --agent "${agent}": it is neither a name nor an identifier`;
    return refuse([{ code: "USAGE", message }], STATUS.usage);
  }
  const session = await openProxySession({ env: environment(flags), agent, cwd: Deno.cwd() });
  if (!session.ok) return refuse([session.error], STATUS.failed);
  if (session.value.mode === "monitor") {
    printNotice("warn", "MONITOR MODE: policies are NOT ENFORCED in this session");
  }
  print(flags.env ? exportLines(session.value) : description(session.value));
  return STATUS.fine;
}

function exportLines({ sessionId, variables }: ProxySession): string {
  const all = { FIRMA_RUN_SESSION_ID: sessionId, ...variables };
  return Object.entries(all)
    .map(([name, value]) => `export ${name}=${shellWord(value)}\n`)
    .join("");
}

function description({ sessionId, agentId, mode, proxyUrl, variables }: ProxySession): string {
  return textTable([
    ["session", sessionId],
    ["agent", agentId],
    ["mode", mode],
    ["proxy", proxyUrl],
    ["roots", variables.SSL_CERT_FILE ?? ""],
  ]);
}

function listCommand(): Command {
  return new Command("list")
    .description("List the open sessions, those of sandboxes among them.")
    .option("--json", "print a JSON array")
    .option(...STATE_DIR)
    .addHelpText("after", examples("firma sidecar session list --json"))
    .action(async (_flags: unknown, command: Command) => {
      const flags = withGlobals<SessionFlags>(command);
      const sessions = await listSessions(environment(flags));
      if (!sessions.ok) {
        Deno.exitCode = refuse([sessions.error], STATUS.failed);
        return;
      }
      print(flags.json ? `${JSON.stringify(sessions.value, null, 2)}\n` : table(sessions.value));
    });
}

const COLUMNS = {
  session_id: "SESSION",
  agent_id: "AGENT",
  interceptor: "BY",
  mode: "MODE",
  started_at: "SINCE",
  action_count: "CALLS",
  deny_count: "DENIED",
} as const;

function table(sessions: readonly Readonly<Record<string, unknown>>[]): string {
  if (sessions.length === 0) return "no session is open\n";
  const rows = sessions.map((session) =>
    Object.keys(COLUMNS).map((name) => String(session[name] ?? "-"))
  );
  return textTable([Object.values(COLUMNS), ...rows]);
}

function closeCommand(): Command {
  return new Command("close")
    .description("End a session: its calls are broken off, and its password is worth nothing.")
    .argument("<session>", "its identifier, ses_…")
    .option(...STATE_DIR)
    .addHelpText("after", examples("firma sidecar session close ses_01jd8xk5w7e0v9c3b2n4m6q8rs"))
    .action(async (id: string, _flags: unknown, command: Command) => {
      const closed = await closeProxySession(environment(withGlobals(command)), id);
      Deno.exitCode = closed.ok ? STATUS.fine : refuse([closed.error], STATUS.failed);
    });
}

import { Command } from "commander";
import { openAuthority } from "../../authority/service/run_service.ts";
import { formatSeed } from "../../capability/seed.ts";
import type { AuthorityConfig } from "../../config/authority_config.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { newId } from "../../core/id.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { writeNewFiles } from "../../pki/new_files.ts";
import { print, printNotice } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { collect, seconds } from "./flags.ts";
import { authorityProject, refuse, STATUS } from "./project.ts";

interface Flags {
  readonly config?: string;
  readonly agentId?: string;
  readonly sessionId?: string;
  readonly action: string[];
  readonly resourceScope?: string[];
  readonly ttlSeconds: number;
  readonly output: string;
  readonly force?: boolean;
}

function agentOf(flags: Flags, config: AuthorityConfig): Result<string> {
  const agentId = flags.agentId ?? config.agentId;
  if (agentId !== undefined) return ok(agentId);
  return err({
    code: "AGENT_MISSING",
    message: "Cannot issue a capability token: no agent is named, here or in firma.toml",
    cure: "--agent-id agt_…; firma authority agents list",
  });
}

async function issue(flags: Flags): Promise<Result<string, readonly FirmaError[]>> {
  const config = authorityProject(flags.config);
  if (!config.ok) return config;
  const agentId = agentOf(flags, config.value);
  if (!agentId.ok) return err([agentId.error]);
  // Whoever runs this holds the key: the register is for those who ask over the network.
  const opened = await openAuthority(config.value, Deno.env.toObject(), false, printNotice);
  if (!opened.ok) return opened;
  const { authority } = opened.value;
  try {
    const agent = await authority.resolveAgent(agentId.value);
    if (!agent.ok) return err([agent.error]);
    const grant = await authority.issue({
      agentId: agent.value,
      sessionId: flags.sessionId ?? newId("ses"),
      requestedActions: flags.action,
      resourceScope: flags.resourceScope ?? ["**"],
      requestedTtlSeconds: flags.ttlSeconds,
    });
    if (!grant.ok) return err([grant.error]);
    const file = { path: flags.output, text: formatSeed(grant.value), secret: true };
    const written = await writeNewFiles([file], flags.force === true);
    return written.ok ? ok(grant.value.claims.token_id) : err([written.error]);
  } finally {
    await authority.close();
  }
}

const HELP = `
Exit status: 0 issued, 1 refused, with the reason.

Example:
  firma authority issue --action code.read -o seed.toml \\
    --resource-scope 'api.github.com/repos/acme/**'
`;

/** `firma authority issue … -o <seed.toml>` */
export function issueCommand(): Command {
  return new Command("issue")
    .summary("Issue a capability token into a file.")
    .description(
      "Issue a capability token into a file, without a running Authority. The issuance policies\n" +
        "decide as they always do; prints the identifier of the token.",
    )
    .option("--agent-id <agent>", "the agent, or its name (default: the one of the project)")
    .option("--session-id <id>", "the session (default: a new one)")
    .requiredOption("--action <class>", "an action class, or *; repeat for more", collect)
    .option("--resource-scope <pattern>", "hosts and paths; repeat for more (default: **)", collect)
    .option("--ttl-seconds <n>", "how long it is valid; 0: as long as may be", seconds, 3600)
    .requiredOption("-o, --output <file>", "where to write it (mode 0600)")
    .option("--force", "replace what is there")
    .option("-c, --config <path>", "configuration file")
    .addHelpText("after", HELP)
    .action(async (_flags: Flags, command: Command) => {
      const issued = await issue(withGlobals<Flags>(command));
      Deno.exitCode = issued.ok ? STATUS.ok : refuse(issued.error);
      if (issued.ok) print(`${escapeForTerminal(issued.value)}\n`);
    });
}

import { Command } from "commander";
import { agentsCommand } from "./authority/agents.ts";
import { generateClientCaCommand } from "./authority/generate_client_ca.ts";
import { generateKeyCommand } from "./authority/generate_key.ts";
import { identityCommand } from "./authority/identity.ts";
import { initTlsCommand } from "./authority/init_tls.ts";
import { issueCommand } from "./authority/issue.ts";
import { issueClientCertCommand } from "./authority/issue_client_cert.ts";
import { authorityProject, refuse } from "./authority/project.ts";
import { revocationsCommand } from "./authority/revocations.ts";
import { serveAuthority } from "./authority/serve.ts";
import { withGlobals } from "./with_globals.ts";

const HELP = `
Runs in the foreground until SIGINT or SIGTERM. Without listen_addr it listens on a socket that only
you can open; on TCP it wants mutual TLS and a list of clients.

Examples:
  firma authority agents add builder     let tokens be issued for an agent
  firma authority                        serve
  firma authority init-tls --out-dir tls --host authority.example.com
  firma authority revocations add ctok_01jd8xk5w7e0v9c3b2n4m6q8rs
`;

/** `firma authority` and its subcommands. */
export function command(): Command {
  return new Command("authority")
    .description("Issue capability tokens, and hand out policies and revocations to Sidecars.")
    .helpCommand(false)
    .option("-c, --config <path>", "configuration file (default: nearest .firma/firma.toml)")
    .addHelpText("after", HELP)
    .addCommand(agentsCommand())
    .addCommand(revocationsCommand())
    .addCommand(issueCommand())
    .addCommand(generateKeyCommand())
    .addCommand(identityCommand())
    .addCommand(initTlsCommand())
    .addCommand(generateClientCaCommand())
    .addCommand(issueClientCertCommand())
    .action(async (_flags: unknown, command: Command) => {
      const config = authorityProject(withGlobals<{ config?: string }>(command).config);
      Deno.exitCode = config.ok ? await serveAuthority(config.value) : refuse(config.error);
    });
}

import { Command } from "commander";
import type { AuthorityStore } from "../../authority/store/store.ts";
import type { AuthorityConfig } from "../../config/authority_config.ts";
import { escapeForTerminal } from "../../core/escape.ts";
import { isId } from "../../core/id.ts";
import { examples } from "../examples.ts";
import { print, printError } from "../output.ts";
import { withGlobals } from "../with_globals.ts";
import { STATUS, withStore } from "./project.ts";

interface Flags {
  readonly config?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

function isToken(tokenId: string): boolean {
  if (isId("ctok", tokenId)) return true;
  printError({
    code: "TOKEN_ID_INVALID",
    message: `Cannot revoke "${tokenId}": it is not the identifier of a token, ctok_…`,
    cure: "firma monitor --json shows token_id; a token itself is not wanted here",
  });
  return false;
}

async function add(store: AuthorityStore, tokenId: string, reason: string): Promise<number> {
  if (!isToken(tokenId)) return STATUS.badInput;
  await store.revoke({ tokenId, reason, timestamp: new Date().toISOString() });
  return STATUS.ok;
}

async function list(store: AuthorityStore, json: boolean): Promise<number> {
  const revocations = await store.listRevocations();
  const entries = revocations.map(({ tokenId, timestamp, reason }) => ({
    token_id: tokenId,
    timestamp,
    reason,
  }));
  const lines = revocations.map(({ tokenId, timestamp, reason }) =>
    `${[tokenId, timestamp, reason].map(escapeForTerminal).join("  ")}\n`
  );
  print(json ? `${JSON.stringify(entries)}\n` : lines.join(""));
  return STATUS.ok;
}

async function remove(store: AuthorityStore, tokenId: string): Promise<number> {
  if (!isToken(tokenId)) return STATUS.badInput;
  if (await store.withdrawRevocation(tokenId)) return STATUS.ok;
  printError({
    code: "TOKEN_NOT_REVOKED",
    message: `Cannot take the revocation of "${tokenId}" back: it is not revoked`,
    cure: "firma authority revocations list",
  });
  return STATUS.failed;
}

async function compact(store: AuthorityStore, { maxTtlMs }: AuthorityConfig): Promise<number> {
  const dropped = await store.compactRevocations(Date.now() - maxTtlMs);
  print(`${dropped} dropped\n`);
  return STATUS.ok;
}

/** As examples show one. */
const TOKEN = "ctok_01jd8xk5w7e0v9c3b2n4m6q8rs";

/** `firma authority revocations add | list | remove | compact` */
export function revocationsCommand(): Command {
  const config = ["-c, --config <path>", "configuration file"] as const;
  const run = async (
    command: Command,
    work: (store: AuthorityStore, config: AuthorityConfig) => Promise<number>,
  ) => {
    Deno.exitCode = await withStore(withGlobals<Flags>(command).config, work);
  };
  return new Command("revocations").aliases(["revoke", "rev"])
    .description("Revoked tokens. Every Sidecar follows within a second.")
    .helpCommand(false)
    .addHelpText("after", examples(`firma authority revocations add ${TOKEN}`))
    .addCommand(
      new Command("add").description("Revoke a token, and with it its session.")
        .argument("<token_id>", "ctok_…")
        .option("-r, --reason <text>", "why", "operator-revoked")
        .option(...config)
        .addHelpText("after", examples(`firma authority revocations add ${TOKEN} --reason leaked`))
        .action((tokenId: string, { reason }: Flags, command: Command) =>
          run(command, (store) => add(store, tokenId, reason!))
        ),
    )
    .addCommand(
      new Command("list").description("List what is revoked.")
        .option("--json", "print a JSON array")
        .option(...config)
        .addHelpText("after", examples("firma authority revocations list"))
        .action((flags: Flags, command: Command) =>
          run(command, (store) => list(store, flags.json === true))
        ),
    )
    .addCommand(
      new Command("remove").description("Take a revocation back.")
        .argument("<token_id>", "ctok_…")
        .option(...config)
        .addHelpText("after", examples(`firma authority revocations remove ${TOKEN}`))
        .action((tokenId: string, _flags: Flags, command: Command) =>
          run(command, (store) => remove(store, tokenId))
        ),
    )
    .addCommand(
      new Command("compact")
        .description("Drop revocations of tokens that have expired, by [authority] max_ttl.")
        .option(...config)
        .addHelpText("after", examples("firma authority revocations compact"))
        .action((_flags: Flags, command: Command) => run(command, compact)),
    );
}

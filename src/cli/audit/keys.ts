import { Command } from "commander";
import { type KeyPeriod, readKeyHistory } from "../../audit/key_history.ts";
import { certifySigningKey } from "../../audit/certify_key.ts";
import { keyFingerprint, rotateSigningKey } from "../../audit/rotate_key.ts";
import { auditKeyFile } from "../../config/paths.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { type AuditInForce, auditInForce } from "../audit_log.ts";
import { examples } from "../examples.ts";
import { print, printError } from "../output.ts";
import { textTable } from "../policy/table.ts";
import { withGlobals } from "../with_globals.ts";
import { writePublicKeyFile } from "../../pki/signing_key.ts";
import { certifierOf } from "./certifier.ts";

interface Flags {
  readonly config?: string;
  readonly file?: string;
  readonly json?: boolean;
  readonly root?: string;
}

const FAILED = 2;

/** `firma audit keys` */
export function keysCommand(): Command {
  return withLog(new Command("keys"))
    .summary("List the keys that have signed the audit log, or change the key.")
    .description("List the keys that have signed the audit log, and from which line on.")
    .helpCommand(false)
    .option("--file <path>", "the log (default: the one in force here)")
    .addHelpText("after", examples("firma audit keys", "firma audit keys --json"))
    .action(async (_flags: Flags, command: Command) => {
      const flags = withGlobals<Flags>(command);
      report(await listKeys(flags), (keys) => print(flags.json ? asJson(keys) : asTable(keys)));
    })
    .addCommand(rotateCommand())
    .addCommand(certifyCommand());
}

const ROTATE = `
The old key signs a last line that names the new one; its private half is deleted. Sidecars that run
go on with the new key by themselves. A command after -- gets the statement to sign on its standard
input, and prints the Ed25519 signature of the key in --root, raw or in base64.

Examples:
  firma audit keys rotate
  firma audit keys rotate --root root.pub -- kms-sign --key firma-audit
`;

function rotateCommand(): Command {
  return withLog(new Command("rotate"))
    .description("Sign the audit log with a new key from its next line on.")
    .option("--root <file>", "public key of the command that vouches for the new key")
    .argument("[command...]", "prints the signature of --root over what it reads")
    .addHelpText("after", ROTATE)
    .action(async (words: string[], _flags: Flags, command: Command) => {
      const flags = withGlobals<Flags>(command);
      report(await rotate(words, flags), ({ seq, from, to, retiredFile }) => {
        const [before, after] = [from, to].map(keyFingerprint);
        print(
          flags.json
            ? `${JSON.stringify({ seq, from: from.toBase64(), to: to.toBase64(), retiredFile })}\n`
            : `Line ${seq} is the last one of key ${before}; ${after} signs from the next one on.\n` +
              `The public half of the old key is in ${retiredFile}\n`,
        );
      });
    });
}

const CERTIFY = `
For a key that has signed nothing yet: before the first session, or in place of a key that is gone.
For one that signs already, give the command to firma audit keys rotate.

Examples:
  firma audit keys certify --root root.pub -- kms-sign --key firma-audit
`;

function certifyCommand(): Command {
  return withLog(new Command("certify"))
    .description("Have another key vouch for the one that is to sign the audit log.")
    .requiredOption("--root <file>", "public key of the command that vouches")
    .argument("<command...>", "prints the signature of --root over what it reads")
    .addHelpText("after", CERTIFY)
    .action(async (words: string[], _flags: Flags, command: Command) => {
      const flags = withGlobals<Flags>(command);
      report(await certify(words, flags), (publicKey) => {
        const name = keyFingerprint(publicKey);
        print(
          flags.json
            ? `${JSON.stringify({ publicKey: publicKey.toBase64() })}\n`
            : `Key ${name} is certified; the log says so in its first line.\n`,
        );
      });
    });
}

function withLog(command: Command): Command {
  return command
    .option("-c, --config <path>", "configuration file")
    .option("--json", "print JSON");
}

function report<T>(result: Result<T, readonly FirmaError[]>, show: (value: T) => void): void {
  if (result.ok) return show(result.value);
  result.error.forEach(printError);
  Deno.exitCode = FAILED;
}

async function listKeys(flags: Flags): Promise<Result<KeyPeriod[], readonly FirmaError[]>> {
  const log = flags.file === undefined ? auditInForce(flags.config) : ok({ filePath: flags.file });
  if (!log.ok) return log;
  const history = await readKeyHistory(log.value.filePath);
  return history.ok ? history : err([history.error]);
}

async function rotate(words: readonly string[], flags: Flags) {
  const place = keyPlace(flags);
  if (!place.ok) return place;
  const certify = await certifierOf(words, flags.root);
  if (!certify.ok) return err([certify.error]);
  const rotated = await rotateSigningKey({ ...place.value, certify: certify.value });
  if (!rotated.ok) return err([rotated.error]);
  await publish(place.value.keyPath, rotated.value.to);
  return rotated;
}

async function certify(words: readonly string[], flags: Flags) {
  const place = keyPlace(flags);
  if (!place.ok) return place;
  const certifier = await certifierOf(words, flags.root);
  if (!certifier.ok) return err([certifier.error]);
  const certified = await certifySigningKey({ ...place.value, certify: certifier.value! });
  if (!certified.ok) return err([certified.error]);
  await publish(place.value.keyPath, certified.value);
  return certified;
}

/** The log and its key file. */
function keyPlace(
  flags: Flags,
): Result<{ logPath: string; keyPath: string }, readonly FirmaError[]> {
  const found = auditInForce(flags.config);
  if (!found.ok) return found;
  const { filePath, signingKeyPath, signingKeyEnv }: AuditInForce = found.value;
  if (signingKeyEnv !== undefined) {
    return err([{
      code: "KEY_ELSEWHERE",
      message: `Cannot change the signing key: it is in the variable "${signingKeyEnv}"`,
      cure: "set another key there and start the Sidecar again; " +
        "give firma audit verify both public keys",
    }]);
  }
  const keyPath = signingKeyPath ?? auditKeyFile(Deno.env.toObject());
  return ok({ logPath: filePath, keyPath });
}

/** The public half is always found at one place, wherever the key is. */
async function publish(keyPath: string, publicKey: Uint8Array): Promise<void> {
  const usual = auditKeyFile(Deno.env.toObject());
  if (keyPath !== usual) await writePublicKeyFile(usual, publicKey);
}

function asJson(keys: readonly KeyPeriod[]): string {
  const rows = keys.map(({ publicKey, from, to, certifiedBy }) => ({
    public_key: publicKey,
    from,
    to,
    certified_by: certifiedBy,
  }));
  return `${JSON.stringify(rows, null, 2)}\n`;
}

function asTable(keys: readonly KeyPeriod[]): string {
  if (keys.length === 0) return "no key has signed this log yet\n";
  const name = (key: string) => key.length === 0 ? "" : keyFingerprint(Uint8Array.fromBase64(key));
  return textTable([
    ["KEY", "FROM LINE", "TO LINE", "CERTIFIED BY"],
    ...keys.map(({ publicKey, from, to, certifiedBy }) => [
      name(publicKey),
      String(from),
      to === undefined ? "now" : String(to),
      name(certifiedBy ?? ""),
    ]),
  ]);
}

import {
  certificateStatement,
  isCertified,
  type KeyCertificate,
} from "../../audit/key_certificate.ts";
import { err, type FirmaError, ok, type Result } from "../../core/result.ts";
import { readPublicKeyFile } from "../../pki/signing_key.ts";

/** Gets the word of a key for another one. */
export type Certifier = (publicKey: Uint8Array) => Promise<Result<KeyCertificate>>;

/** More than a signature in any form. */
const MAX_OUTPUT = 4_096;

/** The certifier that runs `words` and signs with the key in `rootFile`; none without both. */
export async function certifierOf(
  words: readonly string[],
  rootFile: string | undefined,
): Promise<Result<Certifier | undefined>> {
  const [program, ...args] = words;
  if (program === undefined && rootFile === undefined) return ok(undefined);
  if (program === undefined || rootFile === undefined) {
    return err({
      code: "USAGE",
      message: "Cannot have the key certified: --root and a command belong together",
      cure: "firma audit keys rotate --root root.pub -- <command that signs>",
    });
  }
  const root = await readPublicKeyFile(rootFile);
  if (!root.ok) return root;
  return ok(async (publicKey) => {
    const output = await run(program, args, certificateStatement(publicKey));
    if (typeof output === "string") return refused(program, output);
    const signature = signatureIn(output);
    if (signature === undefined) return refused(program, "it printed no Ed25519 signature");
    const certificate = { rootPublicKey: root.value, signature };
    if (isCertified(publicKey, certificate)) return ok(certificate);
    return refused(program, `its signature is not one of the key in "${rootFile}"`);
  });
}

/** What the program prints, or why there is nothing. Its standard error is the operator's. */
async function run(
  program: string,
  args: readonly string[],
  input: Uint8Array,
): Promise<Uint8Array | string> {
  try {
    await using child = new Deno.Command(program, {
      args: [...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    // A program that does not read what it is to sign says so by its signature.
    await writer.write(input).then(() => writer.close()).catch(() => {});
    const { success, code, stdout } = await child.output();
    if (!success) return `it ended with exit code ${code}`;
    return stdout.length > MAX_OUTPUT ? "it printed more than a signature" : stdout;
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

function signatureIn(output: Uint8Array): Uint8Array | undefined {
  if (output.length === 64) return output;
  try {
    const bytes = Uint8Array.fromBase64(new TextDecoder().decode(output).trim());
    return bytes.length === 64 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function refused(program: string, state: string): { ok: false; error: FirmaError } {
  return err({
    code: "CERTIFICATE_REFUSED",
    message: `Cannot have the key certified by "${program}": ${state}`,
  });
}

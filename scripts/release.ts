/** Makes a release of built executables; see scripts/release. */
import { createHash, createPrivateKey, type KeyObject } from "node:crypto";
import { fileURLToPath } from "node:url";
import { completionScript, SHELLS } from "../src/cli/completion/scripts.ts";
import { VERSION } from "../src/config/version.ts";
import { join } from "../src/core/path.ts";
import { newSigningKey } from "../src/pki/signing_key.ts";
import { billOfMaterials } from "./releasing/bill_of_materials.ts";
import { embeddedPackages } from "./releasing/embedded.ts";
import { licenseTexts } from "./releasing/licenses.ts";
import { minisign, publicKeyText } from "./releasing/minisign.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PROGRAM = /^firma-[a-z0-9_]+-[a-z]+-[a-z-]+$/;

/** What goes into a release beside its executables, by file name. */
export async function releaseFiles(): Promise<ReadonlyMap<string, string>> {
  const packages = await embeddedPackages(ROOT);
  return new Map([
    ["firma.1", await Deno.readTextFile(join(ROOT, "docs/firma.1"))],
    ...SHELLS.map((shell) => [`firma.${shell}`, completionScript(shell)] as const),
    ["firma.cdx.json", `${JSON.stringify(billOfMaterials(packages, VERSION), null, 2)}\n`],
    ["LICENSES.txt", await licenseTexts(packages, ROOT)],
  ]);
}

/** The installer as released: with the key that it is to trust, and with no other. */
export function installer(script: string, publicKey: string): string {
  const [, present] = script.match(/^RELEASE_KEY=(.*)$/m) ?? [];
  if (present !== "" && present !== publicKey) {
    throw new Error("Cannot write install.sh: scripts/install.sh trusts another key");
  }
  return script.replace(/^RELEASE_KEY=.*$/m, `RELEASE_KEY=${publicKey}`);
}

/**
 * `SHA256SUMS` as `sha256sum -c` reads it. Under the name `VERSION` stands which release it is, so
 * that an old one cannot pass for it.
 */
export function checksums(files: ReadonlyMap<string, Uint8Array>, version: string): string {
  const lines = [...files].map(([name, bytes]) => `${sha256(bytes)}  ${name}\n`);
  return [...lines.toSorted(), `${sha256(new TextEncoder().encode(`${version}\n`))}  VERSION\n`]
    .join("");
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function release(directory: string, version: string, key: KeyObject): Promise<void> {
  const script = await Deno.readTextFile(join(ROOT, "scripts/install.sh"));
  const written = new Map([
    ...await releaseFiles(),
    ["install.sh", installer(script, publicKeyText(key))],
    ["VERSION", `${version}\n`],
  ]);
  for (const [name, text] of written) await Deno.writeTextFile(join(directory, name), text);
  const covered = new Map<string, Uint8Array>();
  for await (const { name } of Deno.readDir(directory)) {
    const isReleased = PROGRAM.test(name) || (written.has(name) && name !== "VERSION");
    if (isReleased) covered.set(name, await Deno.readFile(join(directory, name)));
  }
  if (![...covered.keys()].some((name) => PROGRAM.test(name))) {
    throw new Error(`Cannot make a release: "${directory}" holds no firma-TARGET`);
  }
  const sums = checksums(covered, version);
  const signature = minisign(key, new TextEncoder().encode(sums), `firma ${version}`);
  await Deno.writeTextFile(join(directory, "SHA256SUMS"), sums);
  await Deno.writeTextFile(join(directory, "SHA256SUMS.minisig"), signature);
}

async function newKey(file: string): Promise<void> {
  const { privatePem } = newSigningKey();
  await Deno.writeTextFile(file, privatePem, { createNew: true, mode: 0o600 });
  console.log(publicKeyText(createPrivateKey(privatePem)));
}

if (import.meta.main) {
  const [first, second] = Deno.args;
  const pem = Deno.env.get("FIRMA_RELEASE_KEY");
  if (first === "--new-key" && second !== undefined) await newKey(second);
  else if (first === undefined || !/^v\d+\.\d+\.\d+(-[0-9A-Za-z.]+)?$/.test(second ?? "")) {
    console.error("scripts/release: needs a directory and a version; see the head of this script");
    Deno.exit(2);
  } else if (second !== `v${VERSION}`) {
    console.error(`scripts/release: deno.json says ${VERSION}, not ${second}`);
    Deno.exit(1);
  } else if (pem === undefined) {
    console.error("scripts/release: FIRMA_RELEASE_KEY is not set");
    Deno.exit(1);
  } else await release(first, second!, createPrivateKey(pem));
}

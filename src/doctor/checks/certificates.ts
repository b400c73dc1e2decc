import { X509Certificate } from "node:crypto";
import { runsDir } from "../../config/paths.ts";
import { dirname, join } from "../../core/path.ts";
import { shellWord } from "../../core/shell.ts";
import type { Check } from "../check.ts";
import { type Finding, fine } from "../finding.ts";
import { trustedProject } from "../project.ts";
import type { World } from "../world.ts";

const DAY_MS = 24 * 60 * 60 * 1000;
/** When an end that comes deserves a look. */
const SOON_MS = 14 * DAY_MS;
const LARGEST = 1024 * 1024;

/** A file of certificates and the command that makes a new one. */
interface CertificateFile {
  readonly path: string;
  /** What it is, for people. */
  readonly what: string;
  readonly renew: (first: X509Certificate | undefined) => string;
}

/** Whether the certificates that the configuration names are valid now, and for a while yet. */
export const certificatesCheck: Check = {
  category: "certificates",
  run(world) {
    const files = certificateFiles(world);
    if (files.length === 0) return [fine("none in use")];
    return files.flatMap((file) => examine(file, world.now()));
  },
};

function certificateFiles(world: World): CertificateFile[] {
  const project = trustedProject(world.project());
  const files = project === undefined ? [] : projectFiles(project.config);
  // The session authorities of runs that are there; a new run has a new one.
  return [...files, ...sessionFiles(world)];
}

type Config = NonNullable<ReturnType<typeof trustedProject>>["config"];

function projectFiles({ authority, sidecar }: Config): CertificateFile[] {
  const of = (key: string) => authority.otherFiles.find((file) => file.key === key)?.path;
  const { remote } = sidecar.authority;
  const files: (CertificateFile | undefined)[] = [
    file(
      of("tls_cert_path"),
      "certificate of the Authority",
      (first, path) =>
        `firma authority init-tls --out-dir ${shellWord(dirname(path))}${hosts(first)} --force`,
    ),
    file(
      of("mtls_client_ca_cert_path"),
      "client CA of the Authority",
      (_, path) =>
        `firma authority generate-client-ca --cert-out ${shellWord(path)} --key-out ${
          shellWord(of("mtls_client_ca_key_path") ?? path.replace(/\.\w+$/, ".key"))
        } --force`,
    ),
    file(
      remote?.clientCertPath,
      "client certificate of the Sidecar",
      (first, path) =>
        `firma authority issue-client-cert --cn ${shellWord(commonName(first) ?? "sidecar")} ` +
        `--cert-out ${shellWord(path)} --key-out ${
          shellWord(remote?.clientKeyPath ?? "client.key")
        } ` +
        "--authorize --force",
    ),
    file(remote?.caCertPath, "CA of the Authority", (_, path) => show(path)),
    ...sidecar.connector.hosts.map(({ host, caCertPath }) =>
      file(caCertPath, `CA of ${host}`, (_, path) => show(path))
    ),
  ];
  return files.filter((found) => found !== undefined);
}

function file(
  path: string | undefined,
  what: string,
  renew: (first: X509Certificate | undefined, path: string) => string,
): CertificateFile | undefined {
  return path === undefined ? undefined : { path, what, renew: (first) => renew(first, path) };
}

function sessionFiles({ env }: World): CertificateFile[] {
  const runs = runsDir(env);
  try {
    return [...Deno.readDirSync(runs)].map(({ name }) => join(runs, name, "public/ca.pem"))
      .filter((path) => (Deno.statSync(path).size) > 0)
      .map((path) => ({ path, what: "session CA", renew: () => "firma doctor --fix" }));
  } catch {
    return []; // no runs, or one that has just ended
  }
}

function examine({ path, what, renew }: CertificateFile, nowMs: number): Finding[] {
  const read = readCertificates(path);
  if (typeof read === "string") {
    return [{
      status: "fail",
      reason: `Cannot read the ${what} "${path}": ${read}`,
      cure: renew(undefined),
    }];
  }
  const cure = renew(read[0]);
  const judged = read.map((certificate): Finding => {
    const from = Date.parse(certificate.validFrom);
    const to = Date.parse(certificate.validTo);
    const day = (at: number) => new Date(at).toISOString().slice(0, 10);
    if (nowMs > to) {
      return { status: "fail", reason: `the ${what} expired on ${day(to)}`, detail: path, cure };
    }
    if (nowMs < from) {
      const reason = `the ${what} is valid from ${day(from)} on, which is to come`;
      return { status: "fail", reason, detail: path, cure };
    }
    if (to - nowMs < SOON_MS) {
      const reason = `the ${what} expires on ${day(to)}`;
      // The authority of a session ends with its run, and is made for a day.
      if (what === "session CA") return fine(reason, path);
      return { status: "warn", reason, detail: path, cure };
    }
    return fine(`the ${what} is valid until ${day(to)}`, path);
  });
  const faults = judged.filter(({ status }) => status !== "ok");
  return faults.length > 0 ? faults : judged.slice(0, 1);
}

/** The certificates in a PEM file, or what is wrong with it. */
function readCertificates(path: string): readonly [X509Certificate, ...X509Certificate[]] | string {
  try {
    const { isFile, size } = Deno.statSync(path);
    if (!isFile || size > LARGEST) return "it is no file of certificates";
    const text = Deno.readTextFileSync(path);
    const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    const [first, ...others] = blocks.map((block) => new X509Certificate(block));
    return first === undefined ? "it holds no certificate in PEM form" : [first, ...others];
  } catch (cause) {
    if (cause instanceof Deno.errors.NotFound) return "there is no such file";
    return cause instanceof Error ? cause.message : String(cause);
  }
}

/** The names that a certificate was made for, as flags. */
function hosts(certificate: X509Certificate | undefined): string {
  return (certificate?.subjectAltName ?? "").split(", ")
    .map((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1])
    .filter((name) => name !== undefined)
    .map((name) => ` --host ${shellWord(name)}`).join("");
}

function commonName(certificate: X509Certificate | undefined): string | undefined {
  return /^CN=(.+)$/m.exec(certificate?.subject ?? "")?.[1];
}

function show(path: string): string {
  return `openssl x509 -noout -subject -dates -in ${shellWord(path)}`;
}

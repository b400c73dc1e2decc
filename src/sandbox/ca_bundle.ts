import { CA_VARIABLES } from "./environment.ts";
import { exists } from "./paths.ts";

/** Where distributions keep the system's roots as one file: Debian, Fedora, SUSE, Alpine. */
export const SYSTEM_BUNDLES = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/ssl/cert.pem",
] as const;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** What the agent trusts, each as PEM. */
export interface AgentRoots {
  /** Everything. */
  readonly bundle: string;
  /** What the system's roots lack. */
  readonly extra: string;
}

/** The roots of the host that the agent trusts, each as PEM. */
export interface HostRoots {
  readonly system: readonly string[];
  /** Those that the system's lack. */
  readonly extra: readonly string[];
}

/**
 * The roots of the host that the agent trusts: the system's, and those of files that a variable of
 * the host's environment names (a company's, in containers and CI images).
 */
export function hostRoots(hostEnv: Readonly<Record<string, string>>): HostRoots {
  const system = SYSTEM_BUNDLES.find(exists);
  const known = new Set(system ? certificatesOf(system) : []);
  const extra = new Set<string>();
  for (const file of new Set(CA_VARIABLES.map((name) => hostEnv[name]))) {
    if (!file || file === system) continue;
    for (const certificate of certificatesOf(file)) {
      if (!known.has(certificate)) extra.add(certificate);
    }
  }
  return { system: [...known], extra: [...extra] };
}

/** The roots that the agent trusts: those of the host, and the session's own. */
export function agentRoots(host: HostRoots, sessionCa: string): AgentRoots {
  const extra = [...new Set([...host.extra, sessionCa.trim()])];
  const pem = (certificates: readonly string[]) => certificates.join("\n") + "\n";
  return { bundle: pem([...host.system, ...extra]), extra: pem(extra) };
}

function certificatesOf(file: string): string[] {
  try {
    return Deno.readTextFileSync(file).match(CERTIFICATE) ?? [];
  } catch {
    return []; // a variable may name a file that is not there
  }
}

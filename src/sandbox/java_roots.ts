import { join } from "../core/path.ts";
import { trustStore } from "../pki/trust_store.ts";
import { exists, realPath } from "./paths.ts";

/** Where distributions keep the roots of every Java of the machine: Debian, Fedora. */
const SYSTEM_STORES = ["/etc/ssl/certs/java/cacerts", "/etc/pki/ca-trust/extracted/java/cacerts"];
/** Below the directory of a Java of its own: from version 9 on, and before. */
const OWN_STORES = ["lib/security/cacerts", "jre/lib/security/cacerts"];

const PEM = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/g;

/** The files that Java takes its roots from: it knows no variable that names another. */
export function javaStores(hostEnv: Readonly<Record<string, string>>): string[] {
  const own = hostEnv.JAVA_HOME?.startsWith("/") ? hostEnv.JAVA_HOME : undefined;
  const candidates = [
    ...SYSTEM_STORES,
    ...(own === undefined ? [] : OWN_STORES.map((path) => join(own, path))),
  ];
  return [...new Set(candidates.filter(exists).map(realPath))];
}

/** The roots of a PEM bundle as such a file. */
export function javaStore(bundle: string): Uint8Array {
  return trustStore([...bundle.matchAll(PEM)].map(([, base64]) => Uint8Array.fromBase64(base64!)));
}

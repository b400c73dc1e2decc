import { type ActionClassEntry, actionClassEntry } from "../../../core/action_class.ts";
import type { CredentialConfig } from "./credential.ts";
import type { Disagreement } from "./kind.ts";
import type { SignInService, TokenEndpoint } from "../../../secrets/sign_in/services.ts";
import { signInServiceOf } from "./sign_in.ts";

/** What is wrong with a credential in view of the whole file. */
export interface CredentialFault extends Disagreement {
  readonly label: string;
}

/** What the rest of the file says that credentials depend on. */
export interface Surroundings {
  /** Classes of the operator's own. */
  readonly actionClasses: readonly ActionClassEntry[];
  /** Hosts and `*.` patterns whose TLS stays closed. */
  readonly bypassHosts: readonly string[];
}

/**
 * Finds credentials that name classes that do not exist, that are for hosts whose TLS is not opened,
 * and two of which match the same call, or want the same variable: which of them it would get is not
 * for chance to say.
 */
export function credentialFaults(
  credentials: readonly CredentialConfig[],
  { actionClasses, bypassHosts }: Surroundings,
): CredentialFault[] {
  const parents = new Map(actionClasses.map(({ name, parent }) => [name, parent]));
  const parentOf = (name: string) => parents.get(name) ?? actionClassEntry(name)?.parent;
  const isKnown = (name: string) => parents.has(name) || actionClassEntry(name) !== undefined;
  return credentials.flatMap((credential, index): CredentialFault[] => {
    const { label } = credential;
    const unknown = credential.actionClasses.find((name) => !isKnown(name));
    if (unknown !== undefined) {
      const state = `"${unknown}" is no action class`;
      return [{
        label,
        key: "action_classes",
        state,
        cure: "firma policy list --classes names them",
      }];
    }
    const closed = credential.hosts.find(({ host }) => isBypassed(host, bypassHosts));
    if (closed !== undefined) {
      const state =
        `TLS of "${closed.host}" is not opened, so that nothing can be added to its calls`;
      return [{ label, key: "hosts", state, cure: "take the host out of bypass_hosts" }];
    }
    const taken = credential.agentVariables.find((name) =>
      credentials.slice(0, index).some(({ agentVariables }) => agentVariables.includes(name))
    );
    if (taken !== undefined) {
      const state = `"${taken}" holds the placeholder of another credential`;
      return [{ label, key: "env", state, cure: "name each variable once" }];
    }
    const alike = credentials.find((each) =>
      each !== credential && takesSignInOf(each, credential)
    );
    if (alike !== undefined) {
      const state = `"${alike.label}" is for calls in which one signs in for it`;
      return [{ label, key: "provider", state, cure: "leave one of the two" }];
    }
    const other = credentials.slice(0, index).find((earlier) =>
      shareHost(earlier, credential) && sharePath(earlier, credential) &&
      shareClass(earlier, credential, parentOf)
    );
    if (other === undefined) return [];
    const state = `"${other.label}" is for some of the same calls`;
    return [{ label, key: "hosts", state, cure: "tell them apart by paths or action_classes" }];
  });
}

function isBypassed(host: string, patterns: readonly string[]): boolean {
  return patterns.some((pattern) =>
    pattern.startsWith("*.") ? host.endsWith(pattern.slice(1)) : host === pattern
  );
}

function shareHost(a: CredentialConfig, b: CredentialConfig): boolean {
  return a.hosts.some(({ host, port }) =>
    b.hosts.some((other) => other.host === host && other.port === port)
  );
}

/** Whether a credential is for the token endpoint of another, or for where that is asked about. */
function takesSignInOf(each: CredentialConfig, { source }: CredentialConfig): boolean {
  if (source.kind !== "sign_in") return false;
  const own = each.source.kind === "sign_in"
    ? placesOf(signInServiceOf(each.source.settings))
    : each.hosts.flatMap(({ host, port }) =>
      (each.paths.length === 0 ? ["/"] : each.paths).map((path) => ({ host, port, path }))
    );
  return placesOf(signInServiceOf(source.settings)).some((endpoint) =>
    own.some(({ host, port, path }) =>
      host === endpoint.host && port === endpoint.port && isWithin(endpoint.path, path)
    )
  );
}

function placesOf({ endpoints, inquiries }: SignInService): readonly TokenEndpoint[] {
  return [...endpoints, ...inquiries];
}

function sharePath(a: CredentialConfig, b: CredentialConfig): boolean {
  if (a.paths.length === 0 || b.paths.length === 0) return true;
  return a.paths.some((one) =>
    b.paths.some((other) => isWithin(one, other) || isWithin(other, one))
  );
}

/** Whether a canonical path is below `prefix`, or is it; whole segments count. */
export function isWithin(path: string, prefix: string): boolean {
  if (!path.startsWith(prefix)) return false;
  return prefix.endsWith("/") || path.length === prefix.length || path[prefix.length] === "/";
}

function shareClass(
  a: CredentialConfig,
  b: CredentialConfig,
  parentOf: (name: string) => string | undefined,
): boolean {
  if (a.actionClasses.length === 0 || b.actionClasses.length === 0) return true;
  const covers = (wide: string, fine: string) => {
    for (let at: string | undefined = fine; at !== undefined; at = parentOf(at)) {
      if (at === wide) return true;
    }
    return false;
  };
  return a.actionClasses.some((one) =>
    b.actionClasses.some((other) => covers(one, other) || covers(other, one))
  );
}

import type { CredentialConfig } from "../../config/keys/credentials/credential.ts";
import { editionOf } from "../../config/keys/credentials/edition.ts";
import { signInServiceOf } from "../../config/keys/credentials/sign_in.ts";
import { TOKEN_ROLES } from "../../secrets/sign_in/services.ts";
import type { CredentialTarget } from "./request_judge.ts";

/**
 * Which calls a credential is for. One that is signed in for goes to two places: its access token to
 * the hosts that it is for, and what renews it to where it came from, and neither to the other. Where
 * programs ask about it, the access token goes as well, if they show it.
 */
export function credentialTargets(credential: CredentialConfig): CredentialTarget[] {
  const { label, hosts, paths, actionClasses, form, source } = credential;
  const edition = editionOf(credential);
  const target: CredentialTarget = {
    label,
    edition,
    hosts,
    paths,
    actionClasses,
    header: form.header,
  };
  if (source.kind !== "sign_in") return [target];
  const signIn = signInServiceOf(source.settings);
  const endpoints: CredentialTarget = {
    label,
    edition,
    hosts: signIn.endpoints,
    paths: [...signIn.endpoints.map(({ path }) => path), ...signIn.around],
    actionClasses: [],
    header: "",
    parts: [TOKEN_ROLES.indexOf("refresh"), TOKEN_ROLES.indexOf("id")],
    signIn,
  };
  const parts = [TOKEN_ROLES.indexOf("access")];
  const inquiries = signIn.inquiries.map((inquiry): CredentialTarget => ({
    ...{ label, edition, hosts: [inquiry], paths: [inquiry.path], actionClasses: [], header: "" },
    ...{ parts, isInquiry: true },
  }));
  // The first that a call is for is the one that it gets.
  return [endpoints, ...inquiries, { ...target, parts }];
}

import { ok, type Result } from "../../../core/result.ts";
import { sha256Hex } from "../../../secrets/sigv4/canonical.ts";
import { signatureFields } from "../../../secrets/sigv4/signature.ts";
import type { CredentialNeed, CredentialProvider } from "../../hand_out.ts";
import type { ProviderWorld } from "../provider_world.ts";
import type { ServiceRequest } from "../service/ask.ts";
import { credentialFault } from "../service/fault.ts";
import { readAwsProfile } from "./credentials_file.ts";
import { readSessionKeys, type SessionKeys, stsRefusal } from "./sts_answer.ts";

/** By what a role is taken on. */
export type RoleProof =
  /** Keys that lie in a file as the tools of AWS write it. */
  | { readonly by: "keys"; readonly file: string; readonly profile: string }
  /** An ID token of the Authority about the agent. */
  | { readonly by: "identity_token"; readonly audience: string };

/** Options of {@linkcode awsRole}. */
export interface AwsRoleOptions {
  readonly roleArn: string;
  readonly proof: RoleProof;
  /** Where the security token service is, without a slash at its end. */
  readonly stsUrl: string;
  /** Region that its requests are signed for. */
  readonly stsRegion: string;
  /** What the session may do at most (a policy in JSON), within what the role may. */
  readonly sessionPolicy: string | undefined;
  /** How long the keys live, in seconds. */
  readonly durationS: number;
  /** For calls that no signature of the agent's says it of. */
  readonly region: string | undefined;
  readonly service: string | undefined;
}

const FORM = "application/x-www-form-urlencoded; charset=utf-8";

/**
 * Keys of an AWS role, for one session of an agent: CloudTrail names the session by its identifier.
 * They do not travel; the call is signed with them.
 */
export function awsRole(options: AwsRoleOptions, world: ProviderWorld): CredentialProvider {
  const { roleArn, proof, stsUrl, region, service } = options;

  function form(
    action: string,
    { sessionId }: CredentialNeed,
    more: Record<string, string>,
  ): string {
    return new URLSearchParams({
      Action: action,
      Version: "2011-06-15",
      RoleArn: roleArn,
      RoleSessionName: sessionId.replace(/[^\w+=,.@-]/g, "-").slice(0, 64).padEnd(2, "-"),
      DurationSeconds: String(options.durationS),
      ...(options.sessionPolicy !== undefined && { Policy: options.sessionPolicy }),
      ...more,
    }).toString();
  }

  async function request(need: CredentialNeed): Promise<Result<ServiceRequest>> {
    const url = `${stsUrl}/`;
    const headers = { accept: "text/xml", "content-type": FORM };
    if (proof.by === "identity_token") {
      const token = await world.identityToken(proof.audience, need);
      if (!token.ok) return token;
      const body = form("AssumeRoleWithWebIdentity", need, { WebIdentityToken: token.value });
      return ok({ method: "POST", url, headers, body });
    }
    const file = await world.readSecret(proof.file);
    if (!file.ok) return file;
    const keys = readAwsProfile(file.value, proof.profile);
    if (!keys.ok) {
      return credentialFault("secret", stsUrl, `"${proof.file}" is of no use: ${keys.error}`);
    }
    const body = form("AssumeRole", need, {});
    const signed = signatureFields(
      {
        method: "POST",
        authority: new URL(url).host,
        target: new URL(url).pathname,
        fields: [["content-type", FORM]],
      },
      keys.value,
      {
        region: options.stsRegion,
        service: "sts",
        payloadHash: sha256Hex(body),
        alsoSign: ["content-type"],
        nowMs: world.now(),
      },
    );
    return ok({
      method: "POST",
      url,
      headers: { ...headers, ...Object.fromEntries(signed) },
      body,
    });
  }

  async function keys(need: CredentialNeed, signal: AbortSignal): Promise<Result<SessionKeys>> {
    const asked = await request(need);
    if (!asked.ok) return asked;
    const answer = await world.ask(asked.value, signal);
    if (!answer.ok) return answer;
    if (answer.value.status !== 200) {
      return credentialFault("refused", stsUrl, stsRefusal(answer.value));
    }
    const read = readSessionKeys(answer.value, world.now());
    return read.ok ? read : credentialFault("answer", stsUrl, read.error);
  }

  return {
    kind: "aws_role",
    scope: ({ sessionId }) => `${roleArn}, ${sessionId}`,
    async obtain(need, signal) {
      const had = await keys(need, signal);
      if (!had.ok) return had;
      const { accessKeyId, secretAccessKey, sessionToken, expiresAtMs } = had.value;
      return ok({
        label: need.label,
        headers: [],
        secrets: [secretAccessKey, sessionToken],
        expiresAtMs,
        signing: {
          kind: "aws-sigv4",
          accessKeyId,
          secretAccessKey,
          sessionToken,
          ...(region !== undefined && { region }),
          ...(service !== undefined && { service }),
        },
      });
    },
  };
}

import { err, ok, type Result } from "../../../core/result.ts";
import type { AwsKeys } from "../../../secrets/sigv4/signature.ts";

/** Reads the keys of one profile of a file as the tools of AWS write it (`~/.aws/credentials`). */
export function readAwsProfile(text: string, profile: string): Result<AwsKeys, string> {
  const values = new Map<string, string>();
  let isThere = false;
  let isOurs = false;
  for (const line of text.split(/\r?\n/).map((each) => each.trim())) {
    if (line === "" || line.startsWith("#") || line.startsWith(";")) continue;
    const section = /^\[\s*([^\]]*?)\s*\]$/.exec(line)?.[1];
    if (section !== undefined) {
      isOurs = section === profile;
      if (isOurs && isThere) return err(`the profile "${profile}" is there twice`);
      isThere ||= isOurs;
      continue;
    }
    const [, name, value] = /^([a-z_]+)\s*=\s*(\S+)$/.exec(line) ?? [];
    if (isOurs && name !== undefined && value !== undefined) values.set(name, value);
  }
  if (!isThere) return err(`there is no profile "${profile}"`);
  const accessKeyId = values.get("aws_access_key_id");
  const secretAccessKey = values.get("aws_secret_access_key");
  const sessionToken = values.get("aws_session_token");
  if (!/^[A-Z0-9]{16,128}$/.test(accessKeyId ?? "") || secretAccessKey === undefined) {
    return err(`the profile "${profile}" has no key`);
  }
  return ok({ accessKeyId: accessKeyId!, secretAccessKey, sessionToken });
}

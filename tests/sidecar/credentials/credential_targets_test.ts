import assert from "node:assert/strict";
import { PlaceholderBook } from "../../../src/secrets/placeholder.ts";
import { credentialTargets } from "../../../src/sidecar/credentials/credential_targets.ts";
import {
  type CredentialTarget,
  judgePlaceholder,
} from "../../../src/sidecar/credentials/request_judge.ts";
import { credential } from "../../broker/_credential.ts";

const SETTINGS = {
  ...{ sign_in_at: "google", access_member: undefined, refresh_member: undefined },
  ...{ id_member: undefined, sign_in_file: undefined, keep_new: false },
};

/** A sign-in at Google, and a session that holds a placeholder of each of its tokens. */
function signedIn(): { targets: CredentialTarget[]; book: PlaceholderBook } {
  const hosts = [{ host: "cloudcode-pa.googleapis.com", port: 443 }];
  const targets = credentialTargets(
    credential("gemini", { kind: "sign_in", settings: SETTINGS }, { hosts }),
  );
  const book = new PlaceholderBook();
  const texts = ["access", "refresh", "id"];
  book.open("ses_1", texts.map((text, part) => ({ text, label: "gemini", part })));
  return { targets, book };
}

function judged(text: string, address: string, name: string): string | undefined {
  const { targets, book } = signedIn();
  const { hostname: host, pathname: path, protocol } = new URL(address);
  const call = { scheme: protocol === "https:" ? "https" : "http", host, port: 443 } as const;
  const judged = {
    call: { ...call, method: "POST", path, query: "" },
    actionClass: undefined,
    sessionId: "ses_1",
  };
  const kind = name === "authorization" ? "header" : "form";
  return judgePlaceholder({ text, place: { kind, name } }, judged, book, targets);
}

Deno.test("credentialTargets() let an access token be asked about, and nothing else go there", () => {
  const info = "https://oauth2.googleapis.com/tokeninfo";
  assert.equal(judged("access", info, "authorization"), undefined);
  assert.equal(judged("access", info, "access_token"), undefined);
  const user = "https://www.googleapis.com/oauth2/v2/userinfo";
  assert.equal(judged("access", user, "authorization"), undefined);
  const endpoint = "https://oauth2.googleapis.com/token";
  assert.equal(judged("refresh", endpoint, "refresh_token"), undefined);

  const refused: readonly (readonly [string, string, string])[] = [
    ["refresh", info, "refresh_token"],
    ["refresh", user, "authorization"],
    ["access", endpoint, "refresh_token"],
    ["access", "https://www.googleapis.com/drive/v3/files", "authorization"],
    ["access", "https://oauth2.googleapis.com/revoke", "token"],
    ["access", "http://oauth2.googleapis.com/tokeninfo", "authorization"],
    ["access", "https://oauth2.googleapis.com.evil.test/tokeninfo", "authorization"],
    ["access", info, ""],
  ];
  for (const [text, address, name] of refused) {
    assert.ok(judged(text, address, name), `${text} at ${address} in "${name}"`);
  }
});

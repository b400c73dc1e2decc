import { join } from "node:path";
import { type Finished, Person } from "../fixtures/cli.ts";
import { TestCa } from "../fixtures/test_ca.ts";
import { hostsOf } from "./converse.ts";
import { ANTHROPIC } from "./vendors/anthropic.ts";

/** What became of a prompt to Claude Code with a sign-in that firma took over. */
export interface SignedIn extends Finished {
  /** The tokens that the vendor was shown in calls to its interface, in the order of the first. */
  readonly shown: readonly string[];
  /** The refresh tokens that it was shown. */
  readonly renewedWith: readonly string[];
  /** The program's file once firma has given the sign-in back. */
  readonly after: string;
}

/** Of the person: the vendor does not take the first any more, and gives the other for the last. */
export const TOKENS = {
  stale: "sk-ant-oat01-that-has-ended",
  fresh: "sk-ant-oat01-that-was-renewed",
  refresh: "sk-ant-ort01-of-the-person",
  next: "sk-ant-ort01-of-the-person-too",
};

/** Takes the sign-in of Claude Code over, gives the program at `program` a prompt, and gives it back. */
export async function converseSignedIn(program: string, prompt: string): Promise<SignedIn> {
  const hosts = await hostsOf("anthropic");
  const ca = await TestCa.create();
  const { cert, key } = await ca.issue(...hosts);
  const shown = new Set<string>();
  const renewedWith: string[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    async (request) => {
      const { hostname, pathname } = new URL(request.url);
      if (pathname === "/v1/oauth/token") {
        const { refresh_token } = await request.json();
        renewedWith.push(refresh_token);
        return renewal(refresh_token);
      }
      if (hostname !== ANTHROPIC.host || !pathname.startsWith("/v1/messages")) {
        return Response.json({}, { status: 404 });
      }
      const token = request.headers.get("authorization") ?? "none";
      shown.add(token);
      if (token !== `Bearer ${TOKENS.fresh}`) return expired();
      return await ANTHROPIC.answer(request) ?? Response.json({}, { status: 404 });
    },
  );
  await using person = await Person.create();
  const address = `127.0.0.1:${server.addr.port}`;
  await person.configure({
    servers: hosts.map((host) => ({ host, address, certificate: ca.certificate })),
    mappings: ["anthropic"],
  });
  await person.firma(["trust"]);
  const file = join(person.home, ".claude/.credentials.json");
  await Deno.mkdir(join(person.home, ".claude"));
  await Deno.writeTextFile(file, signIn(), { mode: 0o600 });
  await person.firma(["credentials", "add", "claude", "--from-sign-in"]);
  const finished = await person.run([program, "-p", prompt]);
  await person.firma(["credentials", "remove", "claude"]);
  return { ...finished, shown: [...shown], renewedWith, after: await Deno.readTextFile(file) };
}

function signIn(): string {
  const claudeAiOauth = {
    accessToken: TOKENS.stale,
    refreshToken: TOKENS.refresh,
    expiresAt: Date.now() + 86_400_000,
    scopes: ["user:inference", "user:profile"],
    subscriptionType: "max",
  };
  return JSON.stringify({ claudeAiOauth });
}

function renewal(refreshToken: string): Response {
  if (refreshToken !== TOKENS.refresh) {
    return Response.json({ error: "invalid_grant" }, { status: 400 });
  }
  return Response.json({
    token_type: "Bearer",
    access_token: TOKENS.fresh,
    refresh_token: TOKENS.next,
    expires_in: 28_800,
    scope: "user:inference user:profile",
    account: { uuid: crypto.randomUUID(), email_address: "ada@example.test" },
  });
}

function expired(): Response {
  const error = { type: "authentication_error", message: "OAuth token has expired" };
  return Response.json({ type: "error", error }, { status: 401 });
}

import { dirname, join } from "node:path";
import { type Finished, Person } from "../fixtures/cli.ts";
import { TestCa } from "../fixtures/test_ca.ts";
import { hostsOf } from "./converse.ts";
import type { SignInCase } from "./sign_ins.ts";
import { GREETING } from "./vendors/vendor.ts";

/** What became of a prompt to an agent with a sign-in that firma took over. */
export interface SignedIn extends Finished {
  /** The tokens that the vendor was shown in calls to its interface, in the order of the first. */
  readonly shown: readonly string[];
  /** The refresh tokens that it was shown. */
  readonly renewedWith: readonly string[];
  /** The agent's file once firma has given the sign-in back. */
  readonly after: string;
}

/**
 * Whether the agent renewed the sign-in and answered, the vendor was shown the person's own tokens
 * alone, and nothing that the agent printed holds one of them.
 */
export function isRenewed({ tokens }: SignInCase, seen: SignedIn): boolean {
  const { stale, fresh } = tokens;
  const theirs = [stale, fresh].map(({ access }) => `Bearer ${access}`);
  const all = [stale, fresh].flatMap(({ access, refresh }) => [access, refresh]);
  return seen.stdout.includes(GREETING) && seen.renewedWith[0] === stale.refresh &&
    seen.shown.at(-1) === theirs[1] && seen.shown.every((token) => theirs.includes(token)) &&
    all.every((token) => !(seen.stdout + seen.stderr).includes(token)) &&
    [fresh.access, fresh.refresh].every((token) => seen.after.includes(token));
}

/** Takes the sign-in of an agent over, gives its program a prompt, and gives the sign-in back. */
export async function converseSignedIn(
  signIn: SignInCase,
  program: string,
  prompt: string,
): Promise<SignedIn> {
  const { api, endpoint, tokens: { stale, fresh } } = signIn;
  const hosts = (await Promise.all(signIn.mappings.map(hostsOf))).flat() as [string, ...string[]];
  const ca = await TestCa.create();
  const { cert, key } = await ca.issue(...hosts);
  const shown = new Set<string>();
  const renewedWith: string[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, cert, key, onListen: () => {} },
    async (request) => {
      const { hostname, pathname } = new URL(request.url);
      if (hostname === endpoint.host && pathname === endpoint.path) {
        const refresh = await refreshTokenIn(request);
        renewedWith.push(refresh);
        // Some renew what is new already, when an answer to an earlier call comes late.
        if (refresh !== stale.refresh && refresh !== fresh.refresh) {
          return Response.json({ error: "invalid_grant" }, { status: 400 });
        }
        return Response.json({
          token_type: "Bearer",
          access_token: fresh.access,
          refresh_token: fresh.refresh,
          expires_in: 28_800,
          ...signIn.beside,
        });
      }
      const token = request.headers.get("authorization");
      if (token === null) return Response.json({}, { status: 404 });
      if (hostname === api) shown.add(token);
      if (token !== `Bearer ${fresh.access}`) return expired();
      return await signIn.answer(request) ?? Response.json({}, { status: 404 });
    },
  );
  await using person = await Person.create();
  const address = `127.0.0.1:${server.addr.port}`;
  await person.configure({
    servers: hosts.map((host) => ({ host, address, certificate: ca.certificate })),
    mappings: signIn.mappings,
  });
  await person.firma(["trust"]);
  const file = join(person.home, signIn.path);
  await Deno.mkdir(dirname(file), { recursive: true });
  await Deno.writeTextFile(file, signIn.text(stale), { mode: 0o600 });
  for (const [name, text] of Object.entries(signIn.home ?? {})) {
    await person.write(join("..", name), text);
  }
  const added = await person.firma(["credentials", "add", signIn.name, "--from-sign-in"]);
  if (added.code !== 0) throw new Error(added.stderr);
  const finished = await person.run([program, ...signIn.words(prompt)]);
  await person.firma(["credentials", "remove", signIn.name]);
  return { ...finished, shown: [...shown], renewedWith, after: await Deno.readTextFile(file) };
}

/** Of a form or of JSON. */
async function refreshTokenIn(request: Request): Promise<string> {
  const text = await request.text();
  return text.startsWith("{")
    ? JSON.parse(text).refresh_token
    : new URLSearchParams(text).get("refresh_token") ?? "";
}

function expired(): Response {
  const error = { type: "authentication_error", message: "OAuth token has expired" };
  return Response.json({ type: "error", error }, { status: 401 });
}

import { HOST, Rig, type RigSession } from "../../tests/sidecar/rig.ts";
import type { Order } from "./processes.ts";

const ROUNDS = 10;
const SESSIONS = 10;

/** How an Authority is reached, and told what is revoked. */
export interface Revoker {
  readonly access: Pick<Order, "endpoint" | "agent" | "publicKey" | "tls">;
  revoke(tokenId: string): Promise<void>;
}

/**
 * How long after a token was revoked the first call with it was denied, in milliseconds, for 100
 * sessions: ten times the tokens of ten sessions that call without a pause, through one Sidecar.
 */
export async function firstDenials({ access, revoke }: Revoker): Promise<number[]> {
  const { endpoint, agent, publicKey, tls } = access;
  const keyFile = await Deno.makeTempFile({ prefix: "firma-bench-" });
  await Deno.writeTextFile(keyFile, `${publicKey}\n`);
  await using rig = await Rig.start({
    agentId: agent,
    authority: `url = ${JSON.stringify(endpoint)}
public_key_path = ${JSON.stringify(keyFile)}
ca_cert_path = ${JSON.stringify(tls.caPath)}
tls_client_cert_path = ${JSON.stringify(tls.certPath)}
tls_client_key_path = ${JSON.stringify(tls.keyPath)}`,
  });
  const times: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const callers = await Promise.all(
      Array.from({ length: SESSIONS }, async () => new Caller(await rig.session())),
    );
    await Promise.all(callers.map((caller) => caller.allowed));
    const from = performance.now();
    await Promise.all(callers.map(({ tokenId }) => revoke(tokenId)));
    times.push(...await Promise.all(callers.map(async ({ denied }) => await denied - from)));
  }
  await Deno.remove(keyFile);
  return times;
}

/** Calls without a pause until a call is denied. */
class Caller {
  readonly tokenId: string;
  /** Resolves once a call was allowed. */
  readonly allowed: Promise<void>;
  /** When the first denial had come. */
  readonly denied: Promise<number>;

  constructor(session: RigSession) {
    this.tokenId = session.tokenId;
    const allowed = Promise.withResolvers<void>();
    this.allowed = allowed.promise;
    this.denied = this.#call(session, allowed.resolve);
  }

  async #call({ caPem, front }: RigSession, allowed: () => void): Promise<number> {
    using client = Deno.createHttpClient({ caCerts: [caPem], proxy: { url: front.url } });
    for (;;) {
      const answer = await fetch(`https://${HOST}/echo`, { client }).catch(() => undefined);
      const said = await answer?.text().catch(() => undefined);
      // The call that was under way is broken off; the next one is answered.
      if (answer === undefined || said === undefined) continue;
      if (answer.status === 200) allowed();
      else if (/"TokenRevoked"/.test(said)) return performance.now();
      else throw new Error(said);
    }
  }
}

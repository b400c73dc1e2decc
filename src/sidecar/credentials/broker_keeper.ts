import { reachOf } from "../../config/keys/credentials/reach.ts";
import { storeVariables } from "../../broker/permissions.ts";
import type { CredentialConfig } from "../../config/keys/credentials/credential.ts";
import type { Environment } from "../../config/paths.ts";
import type { IdentityTokenRequest } from "../../core/authority.ts";
import { err, type FirmaError, type Result } from "../../core/result.ts";
import { programModule } from "../../config/program_file.ts";
import { selfCommand } from "../../config/self_command.ts";
import type { CliSecretProvider } from "../../secrets/cli/provider.ts";
import type { Notify } from "../notices.ts";
import { Waiting } from "../waiting.ts";
import type { BrokerStart, FromKeeper, ToKeeper } from "./keeper/messages.ts";

/** What firma itself needs to start, and what its connections need; none of these is secret. */
const OWN_VARIABLES = [
  ...["HOME", "PATH", "LANG", "TZ", "TMPDIR", "XDG_CACHE_HOME", "DENO_DIR", "DENO_NO_UPDATE_CHECK"],
  ...["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"],
];

const KEEPER_ENDED: FirmaError = {
  code: "CREDENTIAL_BROKER_AWAY",
  message: "Cannot change credentials: the keeper of the credential broker has ended",
  cure: "end the Sidecar and start it again",
};

/**
 * What the main thread knows of the broker, and of what sessions must not see: how data planes get
 * at both, and how they end.
 */
export class BrokerKeeper {
  readonly #worker: Worker;
  readonly #port: MessagePort;
  readonly #env: Environment;
  readonly #stores: readonly CliSecretProvider[];
  readonly #command = [...selfCommand(), "__broker"];
  readonly #replacing = new Waiting<number, Result<void>>();
  #questions = 0;
  #ended = false;
  /** Hears that there is no broker any more, and never will be. */
  onEnded: (() => void) | undefined;

  /**
   * Starts the broker, if there are credentials or programs of stores, and does not wait for it. To
   * be made before `run` is given up.
   * `identify` asks the Authority for ID tokens.
   */
  constructor(
    { credentials, stores }: Pick<BrokerStart, "credentials" | "stores">,
    env: Environment,
    notify: Notify,
    identify: (request: IdentityTokenRequest) => Promise<Result<string>>,
  ) {
    this.#env = env;
    this.#stores = stores;
    this.#worker = new Worker(programModule("src/sidecar/credentials/keeper/worker/main.ts"), {
      type: "module",
      name: "firma-broker-keeper",
      deno: {
        permissions: {
          run: [this.#command[0]!],
          net: false,
          read: false,
          write: false,
          env: false,
          ffi: false,
          sys: false,
          import: false,
        },
      },
    });
    const { port1, port2 } = new MessageChannel();
    this.#worker.postMessage(port2, [port2]);
    this.#port = port1;
    this.#port.onmessage = async ({ data }: MessageEvent<FromKeeper>) => {
      if (data.kind === "notice") return notify(data.level, data.text);
      if (data.kind === "replaced") return void this.#replacing.settle(data.number, data.outcome);
      const { number, request } = data;
      this.#post({ kind: "identified", number, outcome: await identify(request) });
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      notify("error", "The keeper of the credential broker ended: calls that need one fail");
      this.#ended = true;
      this.#replacing.settleAll(err(KEEPER_ENDED));
      this.onEnded?.();
    };
    this.#post({ kind: "start", start: this.#startWith(credentials) });
  }

  /**
   * Has a broker for other credentials take over, or none where there are none. What is asked for by
   * an edition that only the one before knows still goes to that, until it is retired.
   */
  replace(credentials: readonly CredentialConfig[]): Promise<Result<void>> {
    if (this.#ended) return Promise.resolve(err(KEEPER_ENDED));
    const number = ++this.#questions;
    const answer = this.#replacing.answer(number);
    this.#post({ kind: "replace", number, start: this.#startWith(credentials) });
    return answer;
  }

  /** No data plane means any more what only the broker before knows. */
  retire(): void {
    this.#post({ kind: "retire" });
  }

  /** A way to the broker, for one data plane; none once its keeper has ended. */
  open(): MessagePort | undefined {
    if (this.#ended) return undefined;
    const { port1, port2 } = new MessageChannel();
    this.#post({ kind: "plane", port: port1 }, [port1]);
    return port2;
  }

  /** Keeps nothing of a session that has ended. */
  forget(sessionId: string): void {
    this.#post({ kind: "forget", sessionId });
  }

  /** Ends the broker, which ends with the pipe that its keeper held. */
  close(): void {
    this.#worker.terminate();
    this.#port.close();
  }

  #startWith(credentials: readonly CredentialConfig[]): BrokerStart | undefined {
    const stores = this.#stores;
    if (credentials.length + stores.length === 0) return undefined;
    return {
      command: this.#command,
      env: brokerEnvironment(credentials, stores, this.#env),
      credentials,
      stores,
    };
  }

  #post(message: ToKeeper, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/** What the broker may know of the environment: what its work needs, and little more. */
function brokerEnvironment(
  credentials: readonly CredentialConfig[],
  stores: readonly CliSecretProvider[],
  env: Environment,
): Record<string, string> {
  const reaches = credentials.map(reachOf);
  const names = [
    ...OWN_VARIABLES,
    ...reaches.flatMap(({ env, secretEnv }) => [...env, ...secretEnv]),
    ...storeVariables(stores),
  ];
  const known: Record<string, string> = { DENO_TLS_CA_STORE: "system,mozilla", NO_COLOR: "1" };
  for (const name of names) {
    const value = env[name];
    // A loader would take these as orders, in firma itself.
    if (value !== undefined && !/^(?:LD|DYLD)_/.test(name)) known[name] = value;
  }
  return known;
}

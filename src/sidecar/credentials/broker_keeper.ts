import { reachOf } from "../../config/keys/credentials/reach.ts";
import type { CredentialConfig } from "../../config/keys/credentials/credential.ts";
import type { Environment } from "../../config/paths.ts";
import type { IdentityTokenRequest } from "../../core/authority.ts";
import type { Result } from "../../core/result.ts";
import { programModule } from "../../config/program_file.ts";
import { selfCommand } from "../../config/self_command.ts";
import type { Notify } from "../notices.ts";
import type { FromKeeper, ToKeeper } from "./keeper/messages.ts";

/** What firma itself needs to start, and what its connections need; none of these is secret. */
const OWN_VARIABLES = [
  ...["HOME", "PATH", "LANG", "TZ", "TMPDIR", "XDG_CACHE_HOME", "DENO_DIR", "DENO_NO_UPDATE_CHECK"],
  ...["HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR"],
];

/**
 * What the main thread knows of the broker, and of what sessions must not see: how data planes get
 * at both, and how they end.
 */
export class BrokerKeeper {
  readonly #worker: Worker;
  readonly #port: MessagePort;

  /**
   * Starts the broker, if there are credentials, and does not wait for it. To be made before `run`
   * is given up.
   * `identify` asks the Authority for ID tokens.
   */
  constructor(
    credentials: readonly CredentialConfig[],
    env: Environment,
    notify: Notify,
    identify: (request: IdentityTokenRequest) => Promise<Result<string>>,
  ) {
    const command = [...selfCommand(), "__broker"];
    this.#worker = new Worker(programModule("src/sidecar/credentials/keeper/worker/main.ts"), {
      type: "module",
      name: "firma-broker-keeper",
      deno: {
        permissions: {
          run: [command[0]!],
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
      const { number, request } = data;
      this.#post({ kind: "identified", number, outcome: await identify(request) });
    };
    this.#worker.onerror = (event) => {
      event.preventDefault();
      notify("error", "The keeper of the credential broker ended: calls that need one fail");
    };
    const start = credentials.length > 0
      ? { command, env: brokerEnvironment(credentials, env), credentials }
      : undefined;
    this.#post({ kind: "start", start });
  }

  /** A way to the broker, for one data plane. */
  open(): MessagePort {
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

  #post(message: ToKeeper, transfer: Transferable[] = []): void {
    this.#port.postMessage(message, transfer);
  }
}

/** What the broker may know of the environment: what its credentials name, and little more. */
function brokerEnvironment(
  credentials: readonly CredentialConfig[],
  env: Environment,
): Record<string, string> {
  const reaches = credentials.map(reachOf);
  const names = [
    ...OWN_VARIABLES,
    ...reaches.flatMap(({ env, secretEnv }) => [...env, ...secretEnv]),
  ];
  const known: Record<string, string> = { DENO_TLS_CA_STORE: "system,mozilla", NO_COLOR: "1" };
  for (const name of names) {
    const value = env[name];
    // A loader would take these as orders, in firma itself.
    if (value !== undefined && !/^(?:LD|DYLD)_/.test(name)) known[name] = value;
  }
  return known;
}

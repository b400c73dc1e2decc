/** Who a connection belongs to. */
export interface Client {
  /** First DNS name of the certificate, else its common name; `local` on a unix socket. */
  readonly name: string;
  /** The agents that it may ask tokens for; `undefined`: all that are registered. */
  readonly agents: readonly string[] | undefined;
  /** Whether it may see what all Sidecars did. */
  readonly isOperator: boolean;
}

/** Whoever can open a socket of mode 0600 is the Authority's own user. */
export const LOCAL_CLIENT: Client = { name: "local", agents: undefined, isOperator: true };

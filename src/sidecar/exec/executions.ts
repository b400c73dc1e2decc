import { SHIPPED_COMMANDS } from "../../commands/shipped.ts";
import { CommandTable } from "../../commands/table.ts";
import type { Executions } from "../gate.ts";
import { DEFAULT_EXEC_CONFIG, type ExecConfig } from "./decide.ts";
import { GateLine, type GateLineOptions } from "./gate_line.ts";
import type { GateConnection } from "./gate_connection.ts";

/** What deciding executions needs. */
export type ExecutionsOptions = Omit<GateLineOptions, "table" | "now" | "config"> & {
  /** @default {DEFAULT_EXEC_CONFIG} */
  readonly config?: ExecConfig | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
};

/** Decides what programs are executed in sandboxes, by the same tokens and policies as calls. */
export class LocalExecutions implements Executions {
  readonly #options: GateLineOptions;
  readonly #lines = new Set<GateLine>();

  constructor(options: ExecutionsOptions) {
    const { config = DEFAULT_EXEC_CONFIG } = options;
    const table = CommandTable.of([...SHIPPED_COMMANDS, ...config.commands]);
    this.#options = { now: Date.now, ...options, config, table };
  }

  async serve(sessionId: string, reader: GateConnection, directory: string): Promise<void> {
    const line = new GateLine(sessionId, reader, directory, this.#options);
    this.#lines.add(line);
    try {
      await line.serve();
    } finally {
      this.#lines.delete(line);
      reader.socket.destroy();
    }
  }

  /** What was decided before holds no longer: policies, tokens or revocations have changed. */
  forget(): void {
    for (const line of this.#lines) line.forget();
  }

  /** Withdraws what stood as long as policies were fresh and tokens valid. */
  expire(): void {
    for (const line of this.#lines) line.expire();
  }
}

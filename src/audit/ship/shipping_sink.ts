import { ok, type Result } from "../../core/result.ts";
import type { AuditSink, LogFilesChange, WrittenLines } from "../sink.ts";
import { Shipper, type ShipperOptions, type ShippingState } from "./shipper.ts";

/** Options of {@linkcode ShippingSink}. */
export interface ShippingSinkOptions extends ShipperOptions {
  /** Whether retention keeps what was not delivered yet. */
  readonly required: boolean;
}

/**
 * A sink whose lines are read from the log itself, so that what it hears of them is only that there
 * are some: a destination that is slow, or out of reach, holds nothing in memory and nothing up.
 */
export class ShippingSink implements AuditSink {
  readonly name: string;
  readonly #shipper: Shipper;
  readonly #required: boolean;

  constructor(options: ShippingSinkOptions) {
    this.name = options.destination.name;
    this.#shipper = new Shipper(options);
    this.#required = options.required;
  }

  /** How far it has got. */
  status(): ShippingState & { readonly required: boolean } {
    return { ...this.#shipper.state, required: this.#required };
  }

  oldestNeeded(): number {
    return this.#required ? this.#shipper.oldestNeeded() : Infinity;
  }

  take(_lines: WrittenLines): void {
    this.#shipper.wake();
  }

  filesChanged(_change: LogFilesChange): void {
    this.#shipper.wake();
  }

  async close(timeoutMs: number): Promise<Result<void>> {
    await this.#shipper.close(timeoutMs);
    return ok(undefined);
  }
}

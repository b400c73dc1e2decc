import { parseCheckpoint } from "../../audit/checkpoint.ts";
import { sameHash } from "../../audit/merkle/hash.ts";
import { verifyConsistency } from "../../audit/merkle/verify.ts";
import { parseAddCheckpoint } from "../../audit/witness/add_checkpoint.ts";
import { cosign, type Witness, witnessName } from "../../audit/witness/cosignature.ts";
import { err, ok, type Result } from "../../core/result.ts";
import type { SigningKey } from "../../pki/signing_key.ts";
import type { CollectFault, Collector, ShippedLog } from "./collector.ts";

/** What a witness answers: a line of a signed note, or at which size it is. */
export type Witnessed =
  | { readonly kind: "cosigned"; readonly line: string }
  | { readonly kind: "conflict"; readonly knownSize: number };

/** Why a checkpoint is not cosigned. */
export type WitnessFault =
  | CollectFault
  | { readonly kind: "invalid" | "inconsistent"; readonly reason: string };

/**
 * Cosigns checkpoints (https://c2sp.org/tlog-witness): each only when it is of the log of the last
 * one and that only grew, and when it does not speak against the lines that were collected.
 */
export class LogWitness {
  readonly witness: Witness;
  readonly #collector: Collector;
  readonly #key: SigningKey;

  constructor(collector: Collector, key: SigningKey) {
    this.witness = { name: witnessName(key.publicKey), publicKey: key.publicKey };
    this.#collector = collector;
    this.#key = key;
  }

  /** Cosigns the checkpoint in `body`, or says why not. `nowMs` is since the epoch. */
  async add(
    log: ShippedLog,
    body: string,
    nowMs: number,
  ): Promise<Result<Witnessed, WitnessFault>> {
    const invalid = (reason: string) => err({ kind: "invalid" as const, reason });
    const asked = parseAddCheckpoint(body);
    if (!asked.ok) return invalid(asked.error);
    const { oldSize, proof, checkpoint: note } = asked.value;
    return await this.#collector.change<Witnessed, WitnessFault>(
      log,
      false,
      async (change, name) => {
        const parsed = parseCheckpoint(note, change.keys.all);
        if (!parsed.ok) return invalid("no key of the log has signed the checkpoint");
        const head = parsed.value;
        if (oldSize > head.size) return invalid("the checkpoint is older than the one before");
        const tell = (detail: string) =>
          this.#collector.tell(name, change, { kind: "checkpoint", seq: head.size, detail });
        const inconsistent = async (reason: string) => {
          await tell(reason);
          return err({ kind: "inconsistent" as const, reason });
        };
        const known = await change.witnessed();
        if ((known?.size ?? 0) !== oldSize) {
          if (known !== undefined && head.size < known.size) {
            await tell(
              `its checkpoint has ${head.size} lines, and one of ${known.size} was cosigned`,
            );
          }
          return ok({ kind: "conflict" as const, knownSize: known?.size ?? 0 });
        }
        if (
          known !== undefined &&
          !verifyConsistency(known.size, known.root, head.size, head.root, proof)
        ) {
          return await inconsistent(
            `its checkpoint of ${head.size} lines is not of the log that the one of ${known.size} was of`,
          );
        }
        const root = await change.root(head.size);
        if (root !== undefined && !sameHash(root, head.root)) {
          return await inconsistent(
            `its checkpoint of ${head.size} lines is not of the lines that it shipped`,
          );
        }
        // Known before it is out: two that contradict each other are never both cosigned.
        if (known?.size !== head.size) {
          await change.setWitnessed({ size: head.size, root: head.root });
        }
        const time = Math.floor(nowMs / 1_000);
        const line = cosign(note, this.witness, this.#key.privateKey, time);
        return ok({ kind: "cosigned" as const, line });
      },
    );
  }
}

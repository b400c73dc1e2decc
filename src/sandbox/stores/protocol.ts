/**
 * What a stub, which stands in the place of a secret store's program, and the Sidecar say to each
 * other. The stub sends its directory and its arguments, each with a zero behind it, and closes its
 * side. The answer comes in blocks of {@linkcode BLOCK_SIZE} bytes, each of which begins with three
 * numbers of 32 bits, little-endian:
 *
 * - a descriptor of the stub (1, 2), how many bytes follow that are for it (at least one), and a zero;
 * - or a zero, a zero, and the status that the stub ends with. This is the last one.
 */
import type { SecretStub } from "../handoff.ts";

export const BLOCK_SIZE = 4096;
export const BLOCK_HEAD = 12;

/** Where stubs find the Sidecar, in the inner layer; the same in the outer one below its own. */
export const STORES_DIR = "/run/firma-stores";
/** Stubs by the names of their programs; the first directory of the agent's `PATH`. */
export const STUBS_DIR = `${STORES_DIR}/bin`;

/** The socket of a store. */
export function storeSocket({ id }: Pick<SecretStub, "id">): string {
  return `${STORES_DIR}/${id}.sock`;
}

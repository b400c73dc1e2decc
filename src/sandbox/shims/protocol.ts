/**
 * What the gate answers a shim, which asks by connecting and says nothing: one byte, and then
 *
 * - {@linkcode ALLOWED}: the path by which to execute the one descriptor that comes along, and a zero;
 * - {@linkcode DENIED}: what to write to standard error.
 *
 * Whatever else comes, or nothing, has the shim end.
 */
export const ALLOWED = 0x41;
export const DENIED = 0x44;

/** An answer in bytes; it comes whole, and what is behind it is zero. */
export const LONGEST_ANSWER = 1024;

/** The exit status of what was not run, as shells tell it. */
export const NOT_RUN = 126;

/** Where shims find the gate, in the inner layer. */
export const SHIMS_DIR = "/run/firma-gate";
export const ASK_SOCKET = `${SHIMS_DIR}/ask.sock`;
/** Links to descriptors, by number and name: what is executed goes by the name of the link. */
export const NAMES_DIR = `${SHIMS_DIR}/names`;

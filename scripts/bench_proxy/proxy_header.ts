import { Buffer } from "node:buffer";

/** The PROXY protocol header (version 2) that the bridge of a sandbox would write. */
export function proxyHeader(): Buffer {
  const fixed = "0d0a0d0a000d0a515549540a21110014" + "7f0000017f0000019c4046a0";
  return Buffer.concat([Buffer.from(fixed, "hex"), Buffer.from("\xe2\x00\x05proxy", "latin1")]);
}

import { isAbsolute } from "../core/path.ts";
import type { Checked } from "./reader.ts";

const SOCKET = "unix://";

/** Checks the address of an Authority: `unix:///path/of.sock` or `https://host:port`. */
export function checkAuthorityUrl(text: string): Checked<string> {
  if (text.startsWith("unix:")) {
    if (text.startsWith(SOCKET) && isAbsolute(text.slice(SOCKET.length))) return { value: text };
    return { state: `"${text}" is not a path`, cure: `write ${SOCKET}/path/of.sock` };
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && url.pathname === "/" && url.search === "" &&
    url.hash === "" && url.username === "" && url.password === "";
  if (url?.protocol === "https:" && plain) return { value: text };
  return {
    state: `"${text}" is neither https nor a socket`,
    cure: `write https://host:port or ${SOCKET}/path/of.sock`,
  };
}

/** The path of a socket; `undefined` for an address on the network. */
export function socketPath(url: string): string | undefined {
  return url.startsWith(SOCKET) ? url.slice(SOCKET.length) : undefined;
}

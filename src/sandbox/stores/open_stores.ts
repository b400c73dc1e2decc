import { PRIVATE_DIR, type SecretStub } from "../handoff.ts";
import { acceptAll, carryToSidecar } from "../init/carry.ts";
import { proxyHeader } from "../init/proxy_header.ts";
import { STORES_DIR, storeSocket, STUBS_DIR } from "./protocol.ts";
import { stubFile } from "./stub_file.ts";

/** Where `__init` keeps what the inner layer sees at {@linkcode STORES_DIR}. */
const OWN_DIR = `${PRIVATE_DIR}/stores`;

const own = (path: string) => path.replace(STORES_DIR, OWN_DIR);

/**
 * Puts stubs in the places of the programs of secret stores, and leads them to the Sidecar. Returns
 * the mounts that the inner layer needs for that, as options of bwrap; they go on top of others.
 */
export function openStores(stubs: readonly SecretStub[], proxySocket: string): string[] {
  Deno.mkdirSync(own(STUBS_DIR), { recursive: true, mode: 0o755 });
  const mounts = ["--ro-bind", OWN_DIR, STORES_DIR];
  for (const stub of stubs) {
    const socket = own(storeSocket(stub));
    void acceptAll(
      Deno.listen({ transport: "unix", path: socket }),
      // No Sidecar, no answer: the stub says so.
      (client) => carryToSidecar(client, proxySocket, () => headerOf(stub)),
    );
    Deno.chmodSync(socket, 0o666);
    const file = `${own(STUBS_DIR)}/${stub.name}`;
    Deno.writeFileSync(file, stubFile(storeSocket(stub)), { mode: 0o755 });
    const place = placeOf(stub.program);
    if (place !== undefined) mounts.push("--ro-bind", file, place);
  }
  return mounts;
}

/** The program as the agent sees it, links followed; `undefined` where it does not. */
function placeOf(program: string): string | undefined {
  try {
    const place = Deno.realPathSync(program);
    return Deno.statSync(place).isFile ? place : undefined;
  } catch {
    return undefined;
  }
}

function headerOf({ id }: SecretStub): Uint8Array {
  const place = { clientPort: 0, address: "127.0.0.1", port: 0 };
  return proxyHeader({ ...place, host: id, via: "store" });
}

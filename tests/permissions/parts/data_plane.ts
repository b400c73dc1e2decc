import { programModule } from "../../../src/config/program_file.ts";
import { workerPermissions } from "../../../src/sidecar/worker/permissions.ts";
import type { PartReport } from "../attempts.ts";
import type { ProbeTargets } from "../worker/main.ts";

/** A worker with the permissions of the data plane, whose files lie in `directory`. */
export async function attempt([directory]: readonly string[]): Promise<PartReport> {
  const mapped = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const targets: ProbeTargets = {
    secretFile: `${directory}/audit.key`,
    socketDir: `${directory}/w0`,
    ownSocket: `${directory}/w0/s0/proxy.sock`,
    otherSocket: `${directory}/control.sock`,
    mappedPort: mapped.addr.port,
  };
  await Deno.writeTextFile(targets.secretFile, "secret");
  await Deno.mkdir(`${targets.socketDir}/s0`, { recursive: true });
  using _other = Deno.listen({ transport: "unix", path: targets.otherSocket });
  const connectAddr = { hostname: "127.0.0.1", port: targets.mappedPort };
  const worker = new Worker(programModule("tests/permissions/worker/main.ts"), {
    type: "module",
    deno: {
      permissions: workerPermissions({
        mappedHosts: ["api.code.test"],
        connectors: [{ host: "api.code.test", connectAddr, caCerts: [] }],
        defaultProtected: true,
        socketDir: targets.socketDir,
        sockets: [targets.ownSocket],
      }),
    },
  });
  const { port1, port2 } = new MessageChannel();
  const report = new Promise<PartReport>((resolve) => {
    port1.onmessage = ({ data }) => resolve(data);
  });
  worker.postMessage({ targets, port: port2 }, [port2]);
  const { attempts, rights } = await report;
  worker.terminate();
  const isUntouched = await Deno.readTextFile(targets.secretFile) === "secret";
  return { attempts, rights: { ...rights, "leave a secret alone": isUntouched ? "worked" : "no" } };
}

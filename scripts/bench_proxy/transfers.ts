/** Bodies of 1 GiB through the Sidecar, with curl, and the memory that they take. */
import { join } from "node:path";
import { proxyHeader } from "./proxy_header.ts";
import { cpuOf, memoryOf } from "./processes.ts";
import type { Scene, Subject } from "./subjects.ts";

const GIB = 1_073_741_824;

async function copy(from: Deno.Conn, to: Deno.Conn): Promise<void> {
  const space = new Uint8Array(262_144);
  for (;;) {
    const count = await from.read(space);
    if (count === null) return await to.closeWrite();
    for (let at = 0; at < count;) at += await to.write(space.subarray(at, count));
  }
}

/** Does what the bridge of a sandbox does, until `listener` is closed. */
async function bridge(listener: Deno.TcpListener, socket: string): Promise<void> {
  for await (const agent of listener) {
    void (async () => {
      const front = await Deno.connect({ transport: "unix", path: socket });
      await front.write(proxyHeader());
      await Promise.allSettled([copy(agent, front), copy(front, agent)]);
      agent.close();
      front.close();
    })();
  }
}

interface Transfer {
  readonly name: string;
  readonly args: readonly string[];
  readonly size: number;
}

function transfers(host: string, file: string): Transfer[] {
  const url = `https://${host}`;
  const slowly = ["--limit-rate", "50M"];
  return ["--http1.1", "--http2"].flatMap((version): Transfer[] => {
    const name = version === "--http2" ? "HTTP/2" : "HTTP/1.1";
    const upload = ["-T", file, "-H", "Expect:", `${url}/upload`];
    return [
      { name: `${name} download`, args: [version, `${url}/bytes/${GIB}`], size: GIB },
      {
        name: `${name} download, slow reader`,
        args: [version, ...slowly, `${url}/bytes/${GIB / 4}`],
        size: GIB / 4,
      },
      { name: `${name} upload`, args: [version, ...upload], size: GIB },
    ];
  });
}

/** Runs every transfer through each subject and prints speed and memory. */
export async function measureTransfers(subjects: readonly Subject[], scene: Scene): Promise<void> {
  const file = join(scene.directory, "gibibyte");
  await Deno.writeFile(file, new Uint8Array());
  await Deno.truncate(file, GIB);
  for (const { name, via, caPem, pid } of subjects) {
    if (via === undefined || !("socket" in via) || pid === undefined) continue;
    const caFile = join(scene.directory, `transfer-${pid}.pem`);
    await Deno.writeTextFile(caFile, caPem);
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const bridging = bridge(listener, via.socket);
    console.log(
      `\n${name}: ${"MB/s".padStart(40 - name.length)}${"CPU s/GiB".padStart(11)}${
        "most MB".padStart(9)
      }`,
    );
    for (const transfer of transfers(scene.host, file)) {
      const proxy = `http://127.0.0.1:${listener.addr.port}`;
      const cpuBefore = cpuOf(pid);
      const began = performance.now();
      const { code, stderr } = await new Deno.Command("curl", {
        args: ["-sSf", "-o", "/dev/null", "--cacert", caFile, "--proxy", proxy, ...transfer.args],
      }).output();
      if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
      const speed = transfer.size / 1_000 / (performance.now() - began);
      const cpu = (cpuOf(pid) - cpuBefore) / 1_000 * (GIB / transfer.size);
      console.log(
        `  ${transfer.name.padEnd(38)}${speed.toFixed(0).padStart(4)}` +
          cpu.toFixed(1).padStart(11) + memoryOf(pid, "VmHWM").toFixed(0).padStart(9),
      );
    }
    listener.close();
    await bridging;
  }
}

/**
 * Runs one command under `confine()` with a Sidecar that only answers: what the tests start, as
 * any user and on any terminal. The options are one JSON argument; what was seen goes to a file.
 */
import { dirname, join } from "node:path";
import type { LimitsConfig } from "../../../src/config/schema.ts";
import type { SandboxFinding } from "../../../src/core/event.ts";
import { confine } from "../../../src/sandbox/confine.ts";
import { ignoredSignals } from "../../../src/sandbox/ignored_signals.ts";
import type { SandboxSession } from "../../../src/sandbox/request.ts";
import type { Artifact } from "../../../src/sandbox/seccomp/artifact.ts";
import { FakeSidecar } from "./fake_sidecar.ts";

/** What a test asks for. */
export interface ConfineCliOptions {
  readonly command: readonly [string, ...string[]];
  /** Mode 0700; `seen.json` appears in it. */
  readonly runDir: string;
  readonly sealedDirs: readonly string[];
  readonly profile: string;
  readonly caCertificatePem: string;
  /** The session never comes. @default {false} */
  readonly sessionless?: boolean;
  /** Kill the Sidecar before the command starts. */
  readonly withoutSidecar: boolean;
  readonly limits?: LimitsConfig;
  readonly startIn?: string;
  readonly addedFilter?: Artifact;
  readonly viewBuilder?: "bwrap";
  readonly brokeredHosts?: readonly string[];
  /** What the session says of placeholders. */
  readonly held?: Pick<SandboxSession, "placeholders" | "signIns">;
}

ignoredSignals(); // before anything listens
// As long as the process lives, as firma does it.
for (const signal of ["SIGINT", "SIGQUIT"] as const) Deno.addSignalListener(signal, () => {});
const options = JSON.parse(Deno.args[0]!) as ConfineCliOptions;
const proxySocket = join(options.runDir, "s0", "proxy.sock");
Deno.mkdirSync(dirname(proxySocket));
using sidecar = new FakeSidecar(proxySocket);
if (options.withoutSidecar) sidecar.die();
const findings: SandboxFinding[] = [];
const result = await confine({
  ...options,
  cwd: Deno.cwd(),
  hostEnv: Deno.env.toObject(),
  sandboxId: "sbx_test",
  proxyDir: dirname(proxySocket),
  session: Promise.resolve(
    options.sessionless ? undefined : {
      sessionId: "ses_test",
      proxySocket,
      caCertificatePem: options.caCertificatePem,
      ...options.held,
    },
  ),
  onFinding: (finding) => findings.push(finding),
  onNotice: (text) => console.error(`notice: ${text}`),
});
if (!result.ok) {
  console.error(JSON.stringify(result.error));
  Deno.exit(111);
}
const code = await result.value.exitCode;
const seen = { connections: sidecar.seen, findings };
Deno.writeTextFileSync(join(options.runDir, "seen.json"), JSON.stringify(seen));
Deno.exit(code);

/**
 * What `confine()` and `__init` say to each other over a socket that only the outer layer has:
 * one JSON object a line. The command and its environment travel here because command lines can
 * be read by every user of the machine.
 */
import type { RefusalReport } from "./init/refusals/tally.ts";
import type { Rlimits } from "./limits/plan.ts";
import type { Mount } from "./mounts.ts";
import type { Artifact } from "./seccomp/artifact.ts";

/**
 * What the layers around the agent ignore, so that it alone decides what a Ctrl-C means; with
 * their numbers.
 */
export const SHIELDED_SIGNALS = { INT: 2, QUIT: 3, HUP: 1, TERM: 15 } as const;

/** Where things lie in the outer layer. */
export const PRIVATE_DIR = "/run/firma-private";
/** What the agent may read; the only thing of `/run` that the inner layer keeps. */
export const PUBLIC_DIR = "/run/firma";

/** Where `__init` finds the host until it has its own file system, and where it builds that. */
export const HOST_VIEW = "/host";
export const NEW_VIEW = "/view";

export const HANDOFF_SOCKET = `${PRIVATE_DIR}/handoff.sock`;
/** The directory, not the file: a Sidecar whose data plane starts again listens on a new file. */
export const PROXY_DIR = `${PRIVATE_DIR}/proxy`;
export const PROXY_SOCKET = `${PROXY_DIR}/proxy.sock`;
/** The variable that tells `__init` to hold programs until they are decided. */
export const HAS_GATE = "FIRMA_EXEC_GATE";
export const BWRAP = `${PRIVATE_DIR}/bwrap`;

/** How programs are held until they are decided. */
export interface ExecGateRequest {
  /** How long each decision may take. */
  readonly timeoutMs: number;
  /** The only programs that are decided, by name or absolute path; absent: all. */
  readonly governed?: readonly string[] | undefined;
  /** Whether shims may stand in the places of programs where the kernel does not ask. */
  readonly mayUseShims: boolean;
}

/** The program of a secret store, in whose place a stub is to stand. */
export interface SecretStub {
  /** Of the store. */
  readonly id: string;
  /** What it is called as. */
  readonly name: string;
  /** Where it lies on the host; absolute. */
  readonly program: string;
}

/** The first line, from `confine()`, as soon as it is known: what the agent is to see. */
export interface GroundPlan {
  /** The file system that `__init` is to build; absent where bwrap has built it. */
  readonly view?: readonly Mount[];
}

/** The second line, once there is a session: what to start. */
export interface LaunchPlan {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly uid: number;
  readonly gid: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Mounts of the inner layer beyond what every inner layer has, as bwrap options. */
  readonly innerMounts: readonly string[];
  /** Sockets of the host's programs that are in sight. */
  readonly sockets: readonly string[];
  /** How many files the agent may have open, where that is not what `__init` may. */
  readonly openFiles?: number;
  /** What the agent, and all that it starts, may use. */
  readonly limits: AgentLimits;
  /** Whether the layers around the agent ignore what the terminal sends. */
  readonly shielded: boolean;
  /** How what is executed is decided; absent: nothing is asked. */
  readonly execGate?: ExecGateRequest;
  /** Programs of secret stores. @default {[]} */
  readonly secretStubs?: readonly SecretStub[];
  /** A filter of system calls that is loaded beside the built-in one. */
  readonly addedFilter?: Artifact;
  /** Which of those signals the agent takes as usual. */
  readonly defaultSignals: readonly string[];
}

/** What `__init` does about limits; a cgroup is joined before it starts. */
export interface AgentLimits {
  readonly rlimits: Rlimits;
  /** How many process numbers the sandbox has, where that is what holds processes. */
  readonly numbers?: number;
  /** Whether the kernel is to end the agent before `__init` when memory runs out. */
  readonly agentFirst: boolean;
}

/** Later lines from `confine()`: start with shims, ask the agent to end, stop it, let it go on. */
export interface HostMessage {
  readonly type: "proceed" | "terminate" | "suspend" | "resume";
}

/** Lines from `__init`. */
export type InitMessage =
  /** The kernel does not ask before programs are executed: shims are to. Waits for `proceed`. */
  | { readonly type: "shims"; readonly reason: string }
  /** The network is up and the agent is being started. */
  | { readonly type: "started" }
  /** Something in the sandbox tried to reach what no sandbox reaches. */
  | ({ readonly type: "refused" } & RefusalReport)
  /** Everything of the agent stands still. */
  | { readonly type: "suspended" }
  /** The agent has ended; the layers around it are about to. */
  | { readonly type: "ended"; readonly code: number }
  /** The agent could not be started; `code` where that has one of its own. */
  | { readonly type: "failed"; readonly message: string; readonly code?: "EXEC_GATE" };

/** Lines of bytes that come in pieces, decoded from JSON. Ends quietly with them. */
export async function* jsonLines(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<unknown> {
  let pending = "";
  const decoder = new TextDecoder();
  for await (const chunk of pieces) {
    pending += decoder.decode(chunk, { stream: true });
    for (let end = pending.indexOf("\n"); end >= 0; end = pending.indexOf("\n")) {
      yield JSON.parse(pending.slice(0, end));
      pending = pending.slice(end + 1);
    }
  }
}

import { SYSTEM_EXECUTE } from "../../commands/classify.ts";
import type { MatchedCommand } from "../../commands/table.ts";
import type { Execution } from "../../core/local_exec.ts";
import { basename } from "../../core/path.ts";
import { storeSocket } from "../../sandbox/stores/protocol.ts";
import { stubFile } from "../../sandbox/stores/stub_file.ts";
import { STUB_REF } from "./stub_ref.ts";
import type { CliSecretProvider } from "../../secrets/cli/provider.ts";

/** How the stubs of secret stores are told from the programs in whose places they stand. */
export interface KnownStubs {
  /** The names that they go by. */
  readonly names: readonly string[];
  /** What an execution does, if it is one of a stub: it is told by the file's content. */
  matchesOf(execution: Execution): MatchedCommand[] | undefined;
}

/** What an execution of a stub does by itself; what it asks for is decided when it asks. */
const STUB: MatchedCommand = {
  rule: {
    ref: STUB_REF,
    // Named by its content, whatever its arguments are.
    pattern: { text: "", leading: [], later: [], options: [] },
    actionClass: SYSTEM_EXECUTE,
    only: undefined,
    deletes: undefined,
  },
  paths: [],
};

/** Finds out what the stubs of these stores are like in a sandbox on this machine. */
export async function knownStubs(providers: readonly CliSecretProvider[]): Promise<KnownStubs> {
  const hashes = await Promise.all(providers.map(async (provider) => {
    const digest = await crypto.subtle.digest("SHA-256", stubFile(storeSocket(provider)));
    return new Uint8Array(digest).toHex();
  }));
  return {
    names: providers.map(({ program }) => basename(program)),
    matchesOf: ({ sha256 = "" }) => hashes.includes(sha256) ? [STUB] : undefined,
  };
}

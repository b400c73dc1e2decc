/** Compiles `packs/seccomp/agent.toml` into `src/sandbox/seccomp/artifacts.json`. */
import { artifactsOf } from "../src/sandbox/seccomp/build.ts";

const policy = Deno.readTextFileSync(new URL("../packs/seccomp/agent.toml", import.meta.url));
Deno.writeTextFileSync(
  new URL("../src/sandbox/seccomp/artifacts.json", import.meta.url),
  `${JSON.stringify(await artifactsOf(policy, "agent.toml"), null, 2)}\n`,
);

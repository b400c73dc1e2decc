import type { CA_VARIABLES } from "../../sandbox/environment.ts";
import { javaStores } from "../../sandbox/java_roots.ts";
import type { Check } from "../check.ts";
import { fine } from "../finding.ts";

type CaVariable = typeof CA_VARIABLES[number];

/** How each runtime is made to trust the authority of a session. */
const RUNTIMES: readonly (readonly [program: string, variables: readonly CaVariable[]])[] = [
  ["node", ["NODE_EXTRA_CA_CERTS"]],
  ["deno", ["DENO_CERT"]],
  ["bun", ["SSL_CERT_FILE"]],
  ["python3", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"]],
  ["pip3", ["PIP_CERT"]],
  ["ruby", ["SSL_CERT_FILE"]],
  ["go", ["SSL_CERT_FILE"]],
  ["cargo", ["CARGO_HTTP_CAINFO"]],
  ["curl", ["CURL_CA_BUNDLE"]],
  ["git", ["GIT_SSL_CAINFO"]],
  ["aws", ["AWS_CA_BUNDLE"]],
];

/** Which programs of this machine trust a session's authority, and by what. */
export const runtimesCheck: Check = {
  category: "certificate trust",
  run(world) {
    const found = RUNTIMES.filter(([program]) => world.findProgram(program) !== undefined);
    const lines = found.map(([program, variables]) => `${program}: ${variables.join(", ")}`);
    // Java knows no variable for it.
    if (world.findProgram("java") !== undefined) {
      const stores = javaStores(world.env);
      lines.push(
        stores.length > 0
          ? `java: ${stores.join(", ")} is replaced`
          : "java: not by itself: set JAVA_HOME, so that its key store is found",
      );
    }
    const others = "others find the system's bundle, which firma replaces in the sandbox";
    return [
      fine(`${found.length} programs are reached by variables`, [...lines, others].join("\n")),
    ];
  },
};

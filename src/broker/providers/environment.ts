import type { ProviderFactory } from "../provider.ts";
import { unobtainable } from "../provider.ts";
import { writeSecret } from "../write_secret.ts";

/** A secret from a variable of the environment that the Sidecar was started with. */
export const environmentProvider: ProviderFactory<"environment"> = (
  { variable: name },
  { credential, variable },
) => ({
  kind: "environment",
  scope: () => "",
  obtain() {
    const value = variable(name);
    if (value !== undefined) return Promise.resolve(writeSecret(credential, value));
    return Promise.resolve(unobtainable(
      credential.label,
      `there is no variable "${name}" in the environment of the Sidecar`,
      "set it where firma starts; a Sidecar that runs keeps the environment it was started with",
    ));
  },
});

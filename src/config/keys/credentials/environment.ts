import { key } from "../../key.ts";
import { VARIABLE } from "../../value_type.ts";
import { credentialKind } from "./kind.ts";

/** `provider = "environment"`. */
export const ENVIRONMENT = credentialKind("A variable of the environment of the Sidecar", {
  variable: key(VARIABLE, {
    about: "Variable that holds the secret; no agent gets it",
    required: true,
    example: "ANTHROPIC_API_KEY",
    applies: "live",
  }),
}, { reach: ({ variable }) => ({ secretEnv: [variable] }) });

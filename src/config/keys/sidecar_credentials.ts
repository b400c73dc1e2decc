import { key, type Section, section } from "../key.ts";
import { fault } from "../reader.ts";
import { NOT_EMPTY, PATH, VARIABLE } from "../value_type.ts";

/** What a Sidecar shows to its Authority beside a certificate, and where the secret of it is found. */
export interface CredentialsConfig {
  readonly workspaceId: string;
  readonly sidecarId: string;
  readonly key:
    | { readonly from: "environment"; readonly variable: string }
    | { readonly from: "file"; readonly path: string };
}

const TABLE = section("What the Authority wants to be shown beside a certificate, if anything", {
  workspace_id: key(NOT_EMPTY, {
    about: "The workspace that the Sidecar belongs to, as the Authority's list has it",
    otherwise: "none; needed with the others",
    example: "acme",
    applies: "restart",
  }),
  sidecar_id: key(NOT_EMPTY, {
    about: "The Sidecar, as the Authority's list has it",
    otherwise: "none; needed with the others",
    example: "build-1",
    applies: "restart",
  }),
  pre_shared_key_env: key(VARIABLE, {
    about: "Variable that holds the secret, which has at least 32 characters",
    otherwise: "`pre_shared_key_path`",
    example: "SIDECAR_KEY",
    applies: "restart",
  }),
  pre_shared_key_path: key(PATH, {
    about: "File of mode 0600 that holds the secret",
    otherwise: "`pre_shared_key_env`",
    example: "sidecar.psk",
    applies: "restart",
  }),
});

/** `[sidecar.authority.credentials]`. */
export const SIDECAR_CREDENTIALS: Section<CredentialsConfig | undefined> = {
  ...TABLE,
  read(value, path, context) {
    const before = context.errors.length;
    const {
      workspace_id: workspaceId,
      sidecar_id: sidecarId,
      pre_shared_key_env: variable,
      pre_shared_key_path: file,
    } = TABLE.read(value, path, context);
    if (value === undefined || context.errors.length > before) return undefined;
    const refuse = (name: string, state: string) => void fault(context, [...path, name], state);
    if (workspaceId === undefined) return refuse("workspace_id", "it is missing");
    if (sidecarId === undefined) return refuse("sidecar_id", "it is missing");
    if (variable !== undefined && file !== undefined) {
      return refuse("pre_shared_key_env", "there is a pre_shared_key_path as well");
    }
    const owner = { workspaceId, sidecarId };
    if (variable !== undefined) return { ...owner, key: { from: "environment", variable } };
    if (file !== undefined) return { ...owner, key: { from: "file", path: file } };
    return refuse("pre_shared_key_path", "it is missing, and so is pre_shared_key_env");
  },
};

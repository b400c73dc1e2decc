import { key, section } from "../key.ts";
import { BOOLEAN, PATH } from "../value_type.ts";

/** `[authority.audit]`. */
export const AUTHORITY_AUDIT = section("The audit logs of Sidecars, collected and vouched for", {
  collect: key(BOOLEAN, {
    about: "Whether the Authority takes in what Sidecars ship of their audit logs",
    default: false,
    example: true,
    applies: "restart",
  }),
  directory: key(PATH, {
    about: "Where that is kept, on this machine: a directory for each Sidecar",
    otherwise: "`collected` in the data directory of the project",
    example: "/var/lib/firma/collected",
    applies: "restart",
  }),
  witness_key_file: key(PATH, {
    about: "Key that the Authority cosigns checkpoints with; made at the first start",
    otherwise: "`keys/witness.key` in the data directory",
    example: "witness.key",
    applies: "restart",
  }),
});

import { key, section } from "../key.ts";
import { DURATION, list, NOT_EMPTY, oneOf, PATH } from "../value_type.ts";

/** `[sidecar.local_exec]` */
export const SIDECAR_LOCAL_EXEC = section("How programs that agents start are decided", {
  rules_paths: key(list(PATH), {
    about: "Rules for commands, beside those that firma brings",
    default: [],
    example: ["commands.toml"],
    applies: "restart",
  }),
  default_action: key(oneOf(["allow", "deny"]), {
    about: "Programs that no rule names: `allow` leaves them to the policies for `system.execute`",
    default: "allow",
    example: "deny",
    applies: "restart",
  }),
  allowed_executables: key(list(NOT_EMPTY, "list of paths"), {
    about: "The only files that may be executed; `*` stands for any characters",
    otherwise: "any file",
    example: ["/usr/bin/*", "/usr/local/bin/node"],
    applies: "restart",
  }),
});

/** `[run.sidecar_local_exec]` */
export const RUN_LOCAL_EXEC = section("How programs that an agent starts are held until decided", {
  gate: key(oneOf(["auto", "required", "off"]), {
    about:
      "Hold programs until decided: `auto`, by shims where the kernel cannot; `required`: else no agent; `off`",
    default: "auto",
    example: "required",
    applies: "next run",
  }),
  timeout: key(DURATION, {
    about: "How long a decision may take before the program is not run",
    default: "10s",
    example: "30s",
    applies: "next run",
  }),
});

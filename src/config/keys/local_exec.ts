import { key, section } from "../key.ts";
import { DURATION, oneOf } from "../value_type.ts";

/** `[run.sidecar_local_exec]` */
export const RUN_LOCAL_EXEC = section("How programs that an agent starts are held until decided", {
  gate: key(oneOf(["required", "off"]), {
    about: "Hold each program until it is decided (`required`), or decide and record none (`off`)",
    default: "required",
    example: "off",
    applies: "next run",
  }),
  timeout: key(DURATION, {
    about: "How long a decision may take before the program is not run",
    default: "10s",
    example: "30s",
    applies: "next run",
  }),
});

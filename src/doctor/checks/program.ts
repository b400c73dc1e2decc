import { VERSION } from "../../config/version.ts";
import { shellWord } from "../../core/shell.ts";
import type { Check } from "../check.ts";
import { asRoot } from "../commands.ts";
import { fine } from "../finding.ts";

const OTHERS_CAN_WRITE = 0o002;

/** The program itself: which it is, and that nobody else can exchange it. */
export function programCheck(path: string): Check {
  return {
    category: "firma binary",
    run({ uid }) {
      const { target, standalone } = Deno.build;
      const reason = `${VERSION}, ${target}${standalone ? "" : ", from source"}`;
      const { mode, uid: owner } = Deno.statSync(path);
      if (owner !== null && owner !== 0 && owner !== uid) {
        return [{
          status: "warn",
          reason: `${path} belongs to user ${owner}, who can exchange it`,
          cure: asRoot(`chown ${uid} ${shellWord(path)}`, uid),
        }];
      }
      if (((mode ?? 0) & OTHERS_CAN_WRITE) !== 0) {
        return [{
          status: "fail",
          reason: `everybody on this machine can exchange ${path}`,
          cure: `chmod o-w ${shellWord(path)}`,
        }];
      }
      return [fine(reason, path)];
    },
  };
}

import type { Check } from "../check.ts";
import { fine } from "../finding.ts";

/** Ways to confine a program that other systems have; firma confines with bubblewrap. */
export const otherBackends: readonly Check[] = [
  { category: "sandbox vz", run: () => [fine("not built: firma confines on Linux, with bwrap")] },
  {
    category: "sandbox wsl2",
    run({ setting }) {
      const kernel = setting("/proc/sys/kernel/osrelease") ?? "";
      return [
        fine(
          /microsoft/i.test(kernel)
            ? "this is WSL: bwrap is used, as on every Linux"
            : "not needed here: this is no WSL",
        ),
      ];
    },
  },
  { category: "sandbox firecracker", run: () => [fine("not built: bwrap is used")] },
];

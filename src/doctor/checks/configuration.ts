import { shellWord } from "../../core/shell.ts";
import { ownershipFlaws } from "../../run/ownership.ts";
import type { Check } from "../check.ts";
import { editAt } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";

const NONE = "none here; the first firma run writes one";

/** Whether the configuration in force can be read. */
export const parsedCheck: Check = {
  category: "config parsed",
  run(world) {
    const project = world.project();
    if (project.kind === "none") return [fine(NONE)];
    if (project.kind === "loaded") return [fine(project.file.file)];
    return project.errors.map(({ message, at }): Finding => ({
      status: "fail",
      reason: message,
      ...(at && { detail: [at.file, at.line, at.column].filter(Boolean).join(":") }),
      cure: editAt(at, project.file ?? ".firma/firma.toml"),
    }));
  },
};

/** Whether the user stands by the configuration in force, and nobody else can change it. */
export const trustedCheck: Check = {
  category: "config trusted",
  run(world) {
    const project = world.project();
    if (project.kind === "none") return [fine(NONE)];
    if (project.kind === "unusable") return [fine("not asked: it cannot be read")];
    const { file, trust, config, files } = project;
    const flaws = ownershipFlaws(config, files).map((flaw): Finding => ({
      status: "warn",
      reason: flaw,
      cure: `chmod -R o-w ${shellWord(config.directory)}`,
    }));
    if (trust === "trusted") return [fine("as it is now"), ...flaws];
    const reason = trust === "changed"
      ? "it changed since you trusted it: firma run refuses it"
      : "nobody trusts it yet: firma run refuses it";
    return [{ status: "warn", reason, cure: `firma trust ${shellWord(file.file)}` }, ...flaws];
  },
};

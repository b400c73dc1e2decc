import type { Check } from "../check.ts";
import { fine } from "../finding.ts";
import { hostProgramFindings } from "./host_programs.ts";

/**
 * Whether the programs of secret stores are there, and nobody else can put others in their places.
 * None is run: it may ask a person.
 */
export const secretProgramsCheck: Check = {
  category: "secret store programs",
  run(world) {
    const project = world.project();
    const stores = project.kind === "loaded" ? project.config.sidecar.cliSecretProviders : [];
    if (project.kind !== "loaded" || stores.length === 0) return [fine("none here")];
    return stores.flatMap(({ id, program }) => {
      const found = hostProgramFindings(program, { label: id, file: project.file.file });
      return found.length > 0 ? found : [fine(`${id} by ${program}`)];
    });
  },
};

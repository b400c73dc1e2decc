import type { CredentialConfig } from "../../config/keys/credentials/credential.ts";
import { reachOf } from "../../config/keys/credentials/reach.ts";
import { entryOf } from "../../config/entry.ts";
import { shellWord } from "../../core/shell.ts";
import type { Check } from "../check.ts";
import { editCommand } from "../commands.ts";
import { type Finding, fine } from "../finding.ts";
import type { LoadedProject } from "../project.ts";
import type { World } from "../world.ts";
import { hostProgramFindings } from "./host_programs.ts";
import { readTable } from "./mappings.ts";

const ANYBODY_ELSE = 0o077;

/**
 * Whether what credentials come from is there, and nobody else can get at it. Nothing is obtained:
 * a helper may ask a person, and a service may count.
 */
export const credentialsCheck: Check = {
  category: "credentials",
  async run(world) {
    const project = world.project();
    if (project.kind !== "loaded" || project.config.sidecar.credentials.length === 0) {
      return [fine("none here")];
    }
    const table = await readTable(project.files);
    // What is wrong with them is told by the check of mappings.
    const mapped = table.ok ? table.value.hosts : ["*"];
    return project.config.sidecar.credentials.flatMap((credential) => {
      const found = [
        ...secretFiles(credential),
        ...programs(credential, project),
        ...variables(credential, world),
        ...unmapped(credential, mapped, project),
      ];
      return found.length > 0
        ? found
        : [fine(`${credential.label} from ${credential.source.kind}`)];
    });
  },
};

function secretFiles(credential: CredentialConfig): Finding[] {
  const { label, source } = credential;
  return reachOf(credential).read.flatMap((path): Finding[] => {
    const entry = entryOf(path);
    const word = shellWord(path);
    if (entry === undefined) {
      const cure = `firma credentials add ${label} --replace`;
      return [{ status: "fail", reason: `${label}: "${path}" is not there`, cure }];
    }
    // Other kinds read certificates as well, and say themselves what is wrong with a secret.
    if (source.kind !== "file" || ((entry.mode ?? 0) & ANYBODY_ELSE) === 0) return [];
    const reason = `${label}: others can get at "${path}", and it is not used`;
    return [{ status: "fail", reason, cure: `chmod 600 ${word}` }];
  });
}

function programs(credential: CredentialConfig, { file }: LoadedProject): Finding[] {
  return reachOf(credential).run.flatMap((path) =>
    hostProgramFindings(path, { label: credential.label, file: file.file })
  );
}

function unmapped(
  { label, hosts }: CredentialConfig,
  mapped: readonly string[],
  { file }: LoadedProject,
): Finding[] {
  return hosts.flatMap(({ host }): Finding[] => {
    const isMapped = mapped.some((pattern) =>
      pattern === "*" || pattern === host ||
      (pattern.startsWith("*.") && host.endsWith(pattern.slice(1)))
    );
    if (isMapped) return [];
    const reason = `${label}: no rule names "${host}", so that no call to it gets the credential`;
    return [{ status: "warn", reason, cure: editCommand(file.file) }];
  });
}

function variables(credential: CredentialConfig, { env }: World): Finding[] {
  const { label } = credential;
  return reachOf(credential).secretEnv.flatMap((name): Finding[] =>
    env[name] !== undefined ? [] : [{
      status: "warn",
      reason: `${label}: there is no variable "${name}" here`,
      detail: "calls that need it fail in a Sidecar that is started from here",
      cure: `firma credentials add ${label} --replace`,
    }]
  );
}

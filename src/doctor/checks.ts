import type { Check } from "./check.ts";
import { auditLogCheck } from "./checks/audit_log.ts";
import { authorityCheck } from "./checks/authority.ts";
import { bubblewrapCheck } from "./checks/bubblewrap.ts";
import { certificatesCheck } from "./checks/certificates.ts";
import { clockCheck } from "./checks/clock.ts";
import { parsedCheck, trustedCheck } from "./checks/configuration.ts";
import { credentialsCheck } from "./checks/credentials.ts";
import { dataDirCheck, permissionsCheck, stateDirCheck } from "./checks/directories.ts";
import { diskCheck } from "./checks/disk.ts";
import { execGateCheck } from "./checks/exec_gate.ts";
import { limitsCheck } from "./checks/limits.ts";
import { mappingsCheck } from "./checks/mappings.ts";
import { namesCheck } from "./checks/names.ts";
import { apparmorCheck, namespacesCheck } from "./checks/namespaces.ts";
import { otherBackends } from "./checks/other_backends.ts";
import { policiesCheck } from "./checks/policies.ts";
import { programCheck } from "./checks/program.ts";
import { runsCheck, socketsCheck } from "./checks/remains.ts";
import { runtimesCheck } from "./checks/runtimes.ts";
import { sandboxCheck, seccompCheck } from "./checks/sandbox.ts";
import { secretProgramsCheck } from "./checks/secret_programs.ts";
import { seedCheck } from "./checks/seed.ts";
import { sidecarCheck } from "./checks/sidecar.ts";
import { unmappedCheck } from "./checks/unmapped.ts";

/**
 * All checks, in the order in which they are told. Programs go by it: the first ones are those
 * that OpenFirma's doctor makes, in its order.
 */
export const CHECKS: readonly Check[] = [
  programCheck(Deno.execPath()),
  bubblewrapCheck(),
  ...otherBackends,
  sidecarCheck,
  authorityCheck,
  parsedCheck,
  seedCheck,
  stateDirCheck,
  dataDirCheck,
  namespacesCheck,
  apparmorCheck,
  sandboxCheck,
  seccompCheck,
  execGateCheck,
  limitsCheck,
  trustedCheck,
  policiesCheck,
  mappingsCheck,
  credentialsCheck,
  secretProgramsCheck,
  auditLogCheck,
  diskCheck,
  clockCheck,
  certificatesCheck,
  runtimesCheck,
  permissionsCheck,
  runsCheck,
  socketsCheck,
  namesCheck,
  unmappedCheck,
];

import { readPolicyFiles, versionOf } from "../../authority/policy_files.ts";
import type { PolicyBundle } from "../../core/policy_bundle.ts";
import type { FirmaError } from "../../core/result.ts";
import { shellWord } from "../../core/shell.ts";
import type { Check } from "../check.ts";
import { type Finding, fine } from "../finding.ts";

/** Whether the policies of the project compile against the schema. */
export const policiesCheck: Check = {
  category: "policies",
  async run(world) {
    const project = world.project();
    if (project.kind !== "loaded") return [fine("none here")];
    if (project.config.sidecar.authority.remote) return [fine("those of the Authority elsewhere")];
    const { policyDir, issuancePolicyDir } = project.config.authority;
    const { cedarModule, initCedar } = await import("../../policy/cedar_module.ts");
    initCedar(await cedarModule());
    const found = await Promise.all([policyDir, issuancePolicyDir].map(checkDirectory));
    return found.flat();
  },
};

async function checkDirectory(directory: string): Promise<readonly Finding[]> {
  const cure = `firma policy validate ${shellWord(directory)}`;
  const read = await readPolicyFiles(directory);
  if (read.kind === "gone") return [faulty(read.error, directory, cure)];
  if (read.kind === "unusable") return read.errors.map((error) => faulty(error, directory, cure));
  const { checkBundle } = await import("../../policy/check.ts");
  const { schemaText } = await import("../../policy/schema.ts");
  const checked = checkBundle(bundleOf(read.files, schemaText()));
  if (!checked.ok) return checked.error.map((error) => faulty(error, directory, cure));
  const { policies, warnings } = checked.value;
  return [
    fine(`${policies} in ${directory}`),
    ...warnings.map((error): Finding => ({ ...faulty(error, directory, cure), status: "warn" })),
  ];
}

function bundleOf(policies: PolicyBundle["policies"], schema: string): PolicyBundle {
  return { revision: 1, version: versionOf(policies), policies, schema, ttlSeconds: 30 };
}

function faulty({ message, at }: FirmaError, directory: string, cure: string): Finding {
  const place = [directory, at?.file, at?.line, at?.column].filter(Boolean).join(":");
  return { status: "fail", reason: message, detail: place, cure };
}

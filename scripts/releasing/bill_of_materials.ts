import type { EmbeddedPackage } from "./embedded.ts";

/**
 * What an executable is made of, as CycloneDX 1.6 JSON (https://cyclonedx.org/docs/1.6/json). It
 * names no time and no serial number, so that the same sources make the same document.
 */
export function billOfMaterials(packages: readonly EmbeddedPackage[], version: string): unknown {
  const firma = `pkg:github/firma/firma@v${version}`;
  const components = [
    ...packages.map(componentOf),
    runtime("deno", Deno.version.deno, "MIT", "denoland/deno"),
    runtime("v8", Deno.version.v8.replace(/-.*/, ""), "BSD-3-Clause", "v8/v8"),
  ];
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        type: "application",
        "bom-ref": firma,
        name: "firma",
        version,
        licenses: [{ license: { id: "Apache-2.0" } }],
        purl: firma,
      },
    },
    components,
    dependencies: [{ ref: firma, dependsOn: components.map((component) => component["bom-ref"]) }],
  };
}

function componentOf({ name, version, license, sha512 }: EmbeddedPackage) {
  // The "@" of a scope is written %40 (https://github.com/package-url/purl-spec, npm).
  const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
  return {
    type: "library",
    "bom-ref": purl,
    name,
    version,
    licenses: [/[ ()]/.test(license) ? { expression: license } : { license: { id: license } }],
    purl,
    hashes: [{ alg: "SHA-512", content: sha512.toHex() }],
  };
}

function runtime(name: string, version: string, license: string, repository: string) {
  const purl = `pkg:github/${repository}@${version}`;
  return {
    type: "framework",
    "bom-ref": purl,
    name,
    version,
    licenses: [{ license: { id: license } }],
    purl,
  };
}

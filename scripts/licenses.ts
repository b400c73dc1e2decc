/** Prints the licenses of firma and of what its executable holds; scripts/build embeds them. */
import { fileURLToPath } from "node:url";
import { embeddedPackages } from "./releasing/embedded.ts";
import { licenseTexts } from "./releasing/licenses.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
console.log((await licenseTexts(await embeddedPackages(root), root)).trimEnd());

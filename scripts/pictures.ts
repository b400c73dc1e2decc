/**
 * Makes the pictures of the documentation: `scripts/deno run -A scripts/pictures.ts [DIRECTORY]`,
 * `docs/images` by default. Needs Chromium, and the fonts Inter and JetBrains Mono:
 * scripts/require chromium:chromium /usr/share/fonts/truetype/jetbrains-mono:fonts-jetbrains-mono
 */
import { takePictures } from "../tests/monitor/pictures.ts";

Deno.env.set("TZ", "UTC");
await takePictures(Deno.args[0] ?? new URL("../docs/images", import.meta.url).pathname);

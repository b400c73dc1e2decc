import { Chromium, type Page } from "../fixtures/chromium.ts";
import { drawPicture } from "../../src/monitor/view/picture.ts";
import type { Ui } from "../../src/monitor/view/ui.ts";
import { pageOfLines } from "./view/page_of_lines.ts";
import { storyScene } from "./view/scenes.ts";

/** Pictures of the monitor on a terminal: what is chosen there, and its size. */
const SCREENS: Readonly<Record<string, { ui: Partial<Ui>; columns: number; rows: number }>> = {
  "monitor-screen": { ui: {}, columns: 132, rows: 34 },
  "monitor-why": { ui: { onlyDenied: true, isDetailOpen: true }, columns: 112, rows: 34 },
};

async function screens(page: Page, directory: string): Promise<void> {
  for (const [name, { ui, columns, rows }] of Object.entries(SCREENS)) {
    const lines = drawPicture(storyScene(ui), { columns, rows });
    await page.look({ width: 1_400, height: 900, scale: 2 });
    await page.evaluate(
      `document.open(), document.write(${
        JSON.stringify(pageOfLines(lines, "firma monitor"))
      }), document.close()`,
    );
    await page.evaluate("document.fonts.ready.then(() => true)");
    const { width, height } = await page.evaluate<{ width: number; height: number }>(
      "(({ width, height }) => ({ width, height }))(document.body.getBoundingClientRect())",
    );
    await page.look({ width: Math.ceil(width), height: Math.ceil(height), scale: 2 });
    await Deno.writeFile(`${directory}/${name}.png`, await page.screenshot());
  }
}

/** Takes every picture of the documentation. */
export async function takePictures(directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  await using browser = await Chromium.launch();
  await screens(await browser.newPage(), directory);
}

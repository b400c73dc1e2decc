import { Chromium, type Page } from "../fixtures/chromium.ts";
import { drawPicture } from "../../src/monitor/view/picture.ts";
import type { Ui } from "../../src/monitor/view/ui.ts";
import { pageOfLines } from "./view/page_of_lines.ts";
import { MonitorServer } from "../../src/monitor/web/server.ts";
import { storyWatched } from "./web/watched.ts";
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
    await page.look({ width: Math.ceil(width), height: Math.ceil(height), scale: 1.5 });
    await Deno.writeFile(`${directory}/${name}.png`, await page.screenshot());
  }
}

/** The page at three sizes, by day and by night, with and without an answer to why. */
const PAGES: Readonly<
  Record<string, { width: number; height: number; dark?: boolean; touch?: boolean; why?: string }>
> = {
  "monitor-web": { width: 1_280, height: 800 },
  "monitor-web-dark": { width: 1_280, height: 800, dark: true, why: "code.destructive" },
  "monitor-web-phone": { width: 390, height: 844, touch: true },
  "monitor-web-phone-why": {
    width: 390,
    height: 844,
    touch: true,
    dark: true,
    why: "payment.payout",
  },
};

async function pages(browser: Chromium, directory: string): Promise<void> {
  const watched = storyWatched();
  const server = new MonitorServer(watched, 0);
  const page = await browser.newPage();
  await page.timezone("UTC");
  await page.goto(server.invitation!);
  for (const [name, { why, ...look }] of Object.entries(PAGES)) {
    await page.look({ ...look, scale: look.touch ? 2 : 1.5 });
    await page.goto(server.address);
    await page.until("document.querySelectorAll('.row').length > 20");
    await page.evaluate("document.fonts.ready.then(() => true)");
    if (why !== undefined) {
      const row = watched.board.rows.findLast(({ actionClass }) => actionClass === why)!;
      await page.evaluate(`document.querySelector('[data-n="${row.n}"]').click()`);
      await page.until("document.querySelector('dialog').open");
    }
    await Deno.writeFile(`${directory}/${name}.png`, await page.screenshot());
  }
  await server.close();
}

/** Takes every picture of the documentation. */
export async function takePictures(directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  await using browser = await Chromium.launch();
  await screens(await browser.newPage(), directory);
  await pages(browser, directory);
}

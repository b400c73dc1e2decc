/** Makes the documentation's site; see scripts/site. */
import { fileURLToPath } from "node:url";
import { dirname, join } from "../src/core/path.ts";
import { type PageSource, SECTIONS, sitePath } from "./docs_site/navigation.ts";
import { render } from "./docs_site/render.ts";
import { htmlPage } from "./docs_site/template.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const REPOSITORY = "https://github.com/firma/firma/blob/main";
const ASSETS = ["site.css", "site.js", "icon.svg"];

/**
 * Every file of the site, by its path in it.
 *
 * @throws {Error} when a link in the documentation leads nowhere
 */
export async function siteFiles(): Promise<Map<string, string | Uint8Array>> {
  const files = new Map<string, string | Uint8Array>();
  const pages = SECTIONS.flatMap((section) => section.pages);
  const known = new Set(pages.map(({ file }) => file));
  const search: Record<string, string>[] = [];
  const anchors = new Map<string, Set<string>>();
  const links: { readonly from: string; readonly to: string; readonly id: string }[] = [];
  for (const page of pages) {
    const markdown = await Deno.readTextFile(join(ROOT, page.file));
    const images: string[] = [];
    const rendered = render(markdown, page.file, (file) => {
      if (known.has(file)) return up(page) + sitePath(file);
      if (/\.(png|svg)$/.test(file)) return images.push(file), up(page) + imagePath(file);
      return isThere(file) ? `${REPOSITORY}/${file}` : undefined;
    });
    for (const image of images) files.set(imagePath(image), await Deno.readFile(join(ROOT, image)));
    for (const { id, heading, text } of rendered.passages) {
      search.push({ page: page.name, path: page.path, id, heading, text });
    }
    anchors.set(page.path, new Set(rendered.passages.map(({ id }) => id)));
    for (const [, href] of rendered.html.matchAll(/<a href="([^":]*#[^"]+)"/g)) {
      const [path = "", id = ""] = href!.split("#");
      const to = path === "" ? page.path : join(dirname(page.path), path);
      links.push({ from: page.file, to, id });
    }
    files.set(page.path, htmlPage(page, rendered, SECTIONS));
  }
  for (const { from, to, id } of links) {
    if (!anchors.get(to)?.has(id)) throw new Error(`${from}: "${to}" has no part "${id}"`);
  }
  files.set("search.json", JSON.stringify(search));
  for (const name of ASSETS) {
    files.set(name, await Deno.readTextFile(join(ROOT, "scripts/docs_site", name)));
  }
  return files;
}

function up({ path }: PageSource): string {
  return "../".repeat(path.split("/").length - 1);
}

function imagePath(file: string): string {
  return file.replace(/^docs\//, "");
}

function isThere(file: string): boolean {
  try {
    return Deno.statSync(join(ROOT, file)) !== undefined;
  } catch {
    return false;
  }
}

if (import.meta.main) {
  const directory = Deno.args[0] ?? "dist/site";
  const files = await siteFiles();
  for (const [path, content] of files) {
    const target = join(directory, path);
    await Deno.mkdir(dirname(target), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(target, content);
    else await Deno.writeFile(target, content);
  }
  console.log(`${directory}: ${SECTIONS.flatMap(({ pages }) => pages).length} pages`);
}

import assert from "node:assert/strict";
import { dirname } from "node:path";
import { siteFiles } from "../../scripts/docs_site.ts";
import { SECTIONS } from "../../scripts/docs_site/navigation.ts";
import { render } from "../../scripts/docs_site/render.ts";
import { Chromium } from "../fixtures/chromium.ts";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css",
  js: "text/javascript",
  json: "application/json",
  png: "image/png",
  svg: "image/svg+xml",
};
const SIZES = { phone: { width: 390, height: 844 }, desktop: { width: 1_440, height: 900 } };
const TOO_WIDE = "document.scrollingElement.scrollWidth > document.documentElement.clientWidth";

async function markdownFiles(directory: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    const path = `${directory}/${name}`;
    if (isDirectory) found.push(...await markdownFiles(path));
    else if (name.endsWith(".md")) found.push(path);
  }
  return found;
}

Deno.test("siteFiles() has every document in its navigation", async () => {
  const there = SECTIONS.flatMap(({ pages }) => pages.map(({ file }) => file));
  for (const file of await markdownFiles("docs")) {
    assert.ok(there.includes(file), `${file} is missing in scripts/docs_site/navigation.ts`);
  }
  assert.equal(new Set(there).size, there.length);
});

Deno.test("render() refuses a link that leads nowhere", () => {
  const target = (file: string) => file === "docs/b.md" ? "b.html" : undefined;
  const html = (markdown: string) => render(markdown, "docs/guides/a.md", target).html;
  assert.match(html("[b](../b.md#part)"), /<a href="b.html#part">b<\/a>/);
  assert.match(html("[x](https://example.test/)"), /<a href="https:\/\/example.test\/">/);
  assert.throws(() => html("[c](../c.md)"), /docs\/guides\/a.md: the link to "..\/c.md"/);
});

Deno.test("render() takes no markup from what the documentation shows", () => {
  const { html } = render("<script>x</script> and `<b>`\n\n    <i>\n", "a.md", () => undefined);
  assert.doesNotMatch(html, /<(script|b|i)>/);
});

Deno.test("the site fits a phone and a desk, finds what it is asked for, and loads nothing else", async () => {
  const files = await siteFiles();
  await using server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen: () => {} },
    (request) => {
      const path = new URL(request.url).pathname.slice(1) || "index.html";
      const content = files.get(path);
      if (content === undefined) return new Response("", { status: 404 });
      const type = TYPES[path.split(".").at(-1)!]!;
      return new Response(content as BodyInit, { headers: { "content-type": type } });
    },
  );
  const origin = `http://127.0.0.1:${server.addr.port}`;
  await using browser = await Chromium.launch();
  const page = await browser.newPage();
  for (const size of Object.values(SIZES)) {
    await page.look(size);
    for (const path of [...files.keys()].filter((path) => path.endsWith(".html"))) {
      assert.equal(await page.goto(`${origin}/${path}`), 200);
      assert.equal(await page.evaluate(TOO_WIDE), false, `${path} at ${size.width}`);
      const broken = "[...document.images].filter((i) => i.complete && !i.naturalWidth).length";
      assert.equal(await page.evaluate(broken), 0, path);
    }
  }
  // The list of pages shows where one is, however far down in it.
  const inSight = `(() => {
    const { bottom } = document.querySelector("nav [aria-current]").getBoundingClientRect();
    return bottom > 0 && bottom < innerHeight;
  })()`;
  await page.goto(`${origin}/changelog.html`);
  assert.ok(await page.evaluate(inSight));
  const nested = [...files.keys()].find((path) => dirname(path) === "guides")!;
  await page.goto(`${origin}/${nested}`);
  await page.evaluate("document.getElementById('search').focus()");
  for (const key of "UnclassifiedIntent") await page.press(key);
  await page.until("document.querySelectorAll('#found a').length > 1");
  await page.press("Enter");
  await page.until("location.hash !== '' && document.querySelector(location.hash)");
  await page.until("document.readyState === 'complete'"); // its script has run
  await page.look(SIZES.phone);
  await page.evaluate("document.getElementById('menu').click()");
  assert.ok(await page.evaluate("document.querySelector('nav').offsetHeight > 100"));
  const elsewhere = `performance.getEntriesByType("resource").map((entry) => entry.name)
    .filter((name) => !name.startsWith(${JSON.stringify(origin)}))`;
  assert.deepEqual(await page.evaluate(elsewhere), []);
  assert.deepEqual(page.complaints, []);
});

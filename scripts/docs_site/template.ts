import type { PageSource, Section } from "./navigation.ts";
import type { Rendered } from "./render.ts";

/** One page of the site as HTML. Everything that it loads lies beside it. */
export function htmlPage(
  page: PageSource,
  rendered: Rendered,
  sections: readonly Section[],
): string {
  const up = "../".repeat(page.path.split("/").length - 1);
  const title = page.path === "index.html" ? "firma" : `${rendered.title} · firma`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'">
<title>${text(title)}</title>
<link rel="icon" href="${up}icon.svg">
<link rel="stylesheet" href="${up}site.css">
<script type="module" src="${up}site.js" data-root="${up}"></script>
</head>
<body>
<a class="skip" href="#content">Skip to the text</a>
<header>
<a class="name" href="${up}index.html">firma</a>
<label class="search"><span>Search</span>
<input type="search" id="search" placeholder="Search" autocomplete="off" aria-controls="found"></label>
<button id="menu" aria-expanded="false" aria-controls="navigation">Pages</button>
</header>
<div id="found" hidden></div>
<div class="columns">
<nav id="navigation" aria-label="Pages">
${sections.map((section) => group(section, page, up)).join("\n")}
</nav>
<main id="content">
${rendered.html}
</main>
<aside aria-label="On this page">${contents(rendered)}</aside>
</div>
</body>
</html>
`;
}

function group({ heading, pages }: Section, current: PageSource, up: string): string {
  const items = pages.map(({ path, name }) => {
    const here = path === current.path ? ' aria-current="page"' : "";
    return `<li><a href="${up}${path}"${here}>${text(name)}</a></li>`;
  });
  return `<h2>${text(heading)}</h2>\n<ul>\n${items.join("\n")}\n</ul>`;
}

function contents({ passages }: Rendered): string {
  const items = passages.filter(({ level, id }) => id !== "" && level === 2)
    .map(({ id, heading }) => `<li><a href="#${id}">${text(heading)}</a></li>`);
  return items.length < 2 ? "" : `<h2>On this page</h2>\n<ul>\n${items.join("\n")}\n</ul>`;
}

function text(value: string): string {
  return value.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

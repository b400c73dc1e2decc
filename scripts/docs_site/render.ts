import { Marked, type Token, type Tokens } from "marked";
import { dirname, join } from "../../src/core/path.ts";

/** A part of a page that can be linked to, and found. */
export interface Passage {
  /** The fragment of its heading; empty for what stands before the first. */
  readonly id: string;
  readonly heading: string;
  readonly level: number;
  readonly text: string;
}

/** A page as it is shown and searched. */
export interface Rendered {
  readonly title: string;
  readonly html: string;
  readonly passages: readonly Passage[];
}

/** What a link of a page leads to in the site; `undefined` when it leads nowhere. */
export type LinkTarget = (file: string) => string | undefined;

/**
 * Renders the Markdown of one file of the project. Links to other files become what `target` says;
 * an image stays beside its page.
 *
 * @throws {Error} naming the file and the link that leads nowhere
 */
export function render(markdown: string, file: string, target: LinkTarget): Rendered {
  const ids = new Map<string, number>();
  let title = "";
  const resolve = (href: string): string => {
    if (/^[a-z]+:/.test(href) || href.startsWith("#")) return href;
    const [path = "", fragment] = href.split("#");
    const found = target(join(dirname(file), path));
    if (found === undefined) throw new Error(`${file}: the link to "${href}" leads nowhere`);
    return found + (fragment === undefined ? "" : `#${fragment}`);
  };
  const marked = new Marked({
    gfm: true,
    renderer: {
      heading({ tokens, depth, text }) {
        const id = uniqueId(text, ids);
        if (depth === 1) title = plain(text);
        return `<h${depth} id="${id}">${this.parser.parseInline(tokens)} ` +
          `<a class="here" href="#${id}" aria-label="Link to this part">#</a></h${depth}>\n`;
      },
      link({ href, tokens }) {
        return `<a href="${escape(resolve(href))}">${this.parser.parseInline(tokens)}</a>`;
      },
      image({ href, text }) {
        return `<img src="${escape(resolve(href))}" alt="${escape(text)}" loading="lazy">`;
      },
      code({ text }) {
        return `<pre tabindex="0"><code>${escape(text)}\n</code></pre>\n`;
      },
      // The documentation is Markdown alone; what looks like HTML is an example.
      html: ({ text }) => escape(text),
    },
  });
  // Wide tables scroll by themselves; the page does not.
  const html = (marked.parse(markdown) as string)
    .replaceAll("<table>", '<div class="table" tabindex="0"><table>')
    .replaceAll("</table>", "</table></div>");
  return { title, html, passages: passagesOf(marked.lexer(markdown)) };
}

function passagesOf(tokens: readonly Token[]): Passage[] {
  const ids = new Map<string, number>();
  const passages = [{ id: "", heading: "", level: 1, text: "" }];
  for (const token of tokens) {
    if (token.type === "heading") {
      const { text, depth } = token as Tokens.Heading;
      passages.push({ id: uniqueId(text, ids), heading: plain(text), level: depth, text: "" });
    } else passages.at(-1)!.text += ` ${plain(token.raw)}`;
  }
  return passages.map((passage) => ({ ...passage, text: passage.text.replace(/\s+/g, " ").trim() }))
    .filter(({ id, text }) => id !== "" || text !== "");
}

/** The fragment that code hosts give a heading, so that links work there and here. */
function uniqueId(heading: string, ids: Map<string, number>): string {
  const id = plain(heading).toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").replace(/\s/g, "-");
  const count = ids.get(id) ?? 0;
  ids.set(id, count + 1);
  return count === 0 ? id : `${id}-${count}`;
}

/** Markdown without its marks, for search and titles. */
function plain(markdown: string): string {
  return markdown.replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*|]/g, "")
    .replace(/^\s*[-#>]+\s/gm, "").replace(/-{3,}/g, "").replace(/\\([_*<>[\]])/g, "$1");
}

function escape(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;")
    .replace(/"/g, "&quot;");
}

// The search, and the list of pages on a narrow screen. Without scripts the pages are all there.
const root = document.querySelector("script[data-root]").dataset.root;
const field = document.getElementById("search");
const found = document.getElementById("found");
const menu = document.getElementById("menu");
const navigation = document.getElementById("navigation");
const MOST = 12;

// The list of pages is longer than a screen: begin where this page stands in it.
const here = navigation.querySelector("[aria-current]");
if (here) navigation.scrollTop = here.offsetTop - navigation.clientHeight / 2;

/** The passages of all pages: page, path, fragment, heading, text. Loaded at the first question. */
let passages;
const load = () => passages ??= fetch(`${root}search.json`).then((response) => response.json());

const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}_.-]+/gu) ?? [];

/** A word in a heading counts more than one in the text; a passage has to have them all. */
function rank(wanted, passage) {
  let sum = 0;
  for (const word of wanted) {
    const inHeading = passage.heading.toLowerCase().includes(word);
    const inPage = passage.page.toLowerCase().includes(word);
    const inText = passage.lower.split(word).length - 1;
    if (!inHeading && !inPage && inText === 0) return 0;
    sum += (inHeading ? 10 : 0) + (inPage ? 5 : 0) + Math.min(inText, 5);
  }
  return sum;
}

function excerpt(wanted, passage) {
  const at = Math.max(0, passage.lower.indexOf(wanted[0]) - 40);
  return (at > 0 ? "… " : "") + passage.text.slice(at, at + 140);
}

async function search() {
  const question = field.value;
  const wanted = words(question);
  if (wanted.length === 0) return found.replaceChildren(), found.hidden = true;
  const all = await load();
  if (question !== field.value) return;
  const best = [];
  for (const passage of all) {
    passage.lower ??= passage.text.toLowerCase();
    const weight = rank(wanted, passage);
    if (weight > 0) best.push({ weight, passage });
  }
  best.sort((a, b) => b.weight - a.weight);
  found.replaceChildren(
    ...best.slice(0, MOST).map(({ passage }) => {
      const link = document.createElement("a");
      link.href = `${root}${passage.path}#${passage.id}`;
      link.textContent = passage.heading === ""
        ? passage.page
        : `${passage.page}: ${passage.heading}`;
      const small = document.createElement("small");
      small.textContent = excerpt(wanted, passage);
      link.append(small);
      return link;
    }),
  );
  if (best.length === 0) found.textContent = "Nothing found.";
  found.hidden = false;
}

field.addEventListener("focus", load);
field.addEventListener("input", search);
found.addEventListener("click", () => found.hidden = true);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") found.hidden = true;
  if (event.key === "/" && document.activeElement === document.body) {
    event.preventDefault();
    field.focus();
  }
  if (event.key === "Enter" && document.activeElement === field) found.querySelector("a")?.click();
});
menu.addEventListener("click", () => {
  const open = navigation.classList.toggle("open");
  menu.setAttribute("aria-expanded", String(open));
});

// The page of `firma monitor --web`. Whatever an agent chose becomes text and never markup: nodes
// are made one by one and filled through `textContent`; Trusted Types refuse everything else.
"use strict";

/** Rows that are remembered, and those that are drawn at once. */
const MOST_ROWS = 2000;
const MOST_DRAWN = 250;

const state = {
  /** Oldest first. */
  rows: [],
  words: "",
  onlyDenied: false,
  /** Number of the last row when the list was paused. */
  pausedAt: undefined,
  home: "",
};

const byId = (id) => document.getElementById(id);

/** An element with a class and children: strings become text. */
function make(tag, className = "", ...children) {
  const made = document.createElement(tag);
  if (className !== "") made.className = className;
  made.append(...children.map((child) => typeof child === "string" ? visible(child) : child));
  return made;
}

// What hides in a name or turns it around: controls, formats, fillers.
const INVISIBLE = /[\p{Cc}\p{Cf}\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2028\u2029]/gu;

/** Text with everything visible that would not be. */
function visible(text) {
  return text.replace(
    INVISIBLE,
    (char) => char === "\n" ? char : `\\u{${char.codePointAt(0).toString(16)}}`,
  );
}

function setText(node, text) {
  const shown = visible(text);
  if (node.textContent !== shown) node.textContent = shown;
}

const two = (value) => String(value).padStart(2, "0");

function clock(atMs) {
  const at = new Date(atMs);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

function ago(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? `${hours} h ${two(minutes % 60)} min`
    : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const grouped = (value) => value.toLocaleString("en-US");
const counted = (value, one) => `${grouped(value)} ${one}${value === 1 ? "" : "s"}`;

/** An identifier by the end that tells it from others. */
function shortId(id) {
  const mark = id.indexOf("_");
  return mark < 0 || id.length <= mark + 8 ? id : `${id.slice(0, mark + 1)}…${id.slice(-6)}`;
}

function shortPath(path) {
  const isBelow = state.home !== "" &&
    (path === state.home || path.startsWith(`${state.home}/`));
  return isBelow ? `~${path.slice(state.home.length)}` : path;
}

// The list.

const drawn = new Map();

function matches(row, words) {
  if (state.onlyDenied && row.word !== "DENY") return false;
  if (state.pausedAt !== undefined && row.n > state.pausedAt) return false;
  if (words.length === 0) return true;
  const text = `${row.word} ${row.method} ${row.what} ${row.class} ${row.agent} ${row.reason}`
    .toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The rows to draw, newest first. */
function wantedRows() {
  const words = state.words.toLowerCase().split(/\s+/).filter((word) => word !== "");
  const wanted = [];
  for (let i = state.rows.length - 1; i >= 0 && wanted.length < MOST_DRAWN; i--) {
    if (matches(state.rows[i], words)) wanted.push(state.rows[i]);
  }
  return wanted;
}

function rowItem(row) {
  const button = make(
    "button",
    `row ${row.tone}`,
    make("span", "time", clock(row.at)),
    make("span", "decision", make("span", "badge", row.word)),
    make("span", "call", make("b", "", row.method), row.what),
    make("span", "class", row.class),
    make("span", "agent", row.agent === "" ? "" : shortId(row.agent)),
    make("span", "reason", row.reason),
  );
  button.type = "button";
  button.title = visible(row.what);
  button.dataset.n = String(row.n);
  return make("li", "", button);
}

/** Draws what is not drawn yet and removes what is not wanted: what stays keeps its focus. */
function drawList() {
  const list = byId("list");
  const wanted = wantedRows();
  const numbers = new Set(wanted.map(({ n }) => n));
  for (const [n, item] of drawn) {
    if (numbers.has(n)) continue;
    item.remove();
    drawn.delete(n);
  }
  let before = list.firstChild;
  for (const row of wanted) {
    const known = drawn.get(row.n);
    if (known !== undefined && known === before) {
      before = before.nextSibling;
      continue;
    }
    const item = known ?? rowItem(row);
    drawn.set(row.n, item);
    list.insertBefore(item, before);
  }
  const isFiltered = state.words !== "" || state.onlyDenied;
  byId("empty").textContent = wanted.length > 0
    ? ""
    : isFiltered
    ? "Nothing here matches."
    : "Nothing was decided yet. firma run -- <command> starts an agent.";
}

function takeRows({ reset, rows, skipped }) {
  if (reset) {
    state.rows = [];
    for (const item of drawn.values()) item.remove();
    drawn.clear();
  }
  state.rows.push(...rows);
  if (state.rows.length > MOST_ROWS) state.rows.splice(0, state.rows.length - MOST_ROWS);
  const button = byId("pause");
  if (state.pausedAt !== undefined) {
    const last = state.rows.at(-1)?.n ?? 0;
    setText(button, `Go on (${grouped(Math.max(0, last - state.pausedAt))} new)`);
  }
  if (skipped > 0) setText(byId("connection"), `live, ${counted(skipped, "row")} not shown`);
  drawList();
}

// What runs, figures and the side.

function pill(tone, ...children) {
  return make("li", `pill ${tone}`, ...children);
}

function drawRunning({ standing, now }) {
  const pills = standing.components.map(({ component, state, sinceMs, restarts }) => {
    const name = component === "sidecar" ? "Sidecar" : "Authority";
    const tone = state === "running" ? "good" : state === "dead" ? "bad" : "warn";
    const since = state === "running" ? ago(now - sinceMs) : state;
    const more = restarts > 0 ? `, ${counted(restarts, "restart")}` : "";
    return pill(tone, `${name} ${since}${more}`);
  });
  if (standing.ownSidecars > 0) pills.push(pill("good", counted(standing.ownSidecars, "run")));
  if (pills.length === 0) pills.push(pill("", "nothing runs"));
  if (standing.problem !== "") pills.push(pill("bad", standing.problem));
  byId("running").replaceChildren(...pills);
}

function drawHealth({ standing, log, policy, scope }) {
  const pills = [];
  if (scope !== "") pills.push(pill("", make("code", "", scope)));
  const last = policy.changes.at(-1);
  if (policy.version !== "") {
    pills.push(
      standing.isFresh
        ? pill("good", "bundle ", make("code", "", policy.version))
        : pill("bad", "stale bundle ", make("code", "", policy.version)),
    );
  }
  if (last !== undefined && last.change !== "applied") {
    pills.push(pill("bad", last.change === "gone" ? "policies gone" : "policy edit refused"));
  }
  const trouble = standing.audit === "failed"
    ? "audit log cannot be written, every call is denied"
    : log.alarm !== ""
    ? `audit log: ${log.alarm}`
    : log.damaged > 0
    ? `audit log: ${counted(log.damaged, "damaged line")}`
    : log.gaps > 0
    ? `audit log: ${counted(log.gaps, "gap")}`
    : "";
  pills.push(
    trouble === "" ? pill("good", `audit ${counted(log.lines, "line")}`) : pill("bad", trouble),
  );
  byId("health").replaceChildren(...pills);
}

const TOTALS = [["ALLOW", "good", "allowed"], ["DENY", "bad", "denied"], [
  "ABORT",
  "warn",
  "aborted",
]];

function drawTotals({ decisions, rate }) {
  const found = new Map(decisions.top.map(([name, total]) => [name, total]));
  byId("totals").replaceChildren(...TOTALS.map(([word, tone, name]) => {
    const total = found.get(word) ?? 0;
    return make(
      "div",
      total > 0 ? tone : "",
      make("dt", "", name),
      make("dd", "", grouped(total)),
    );
  }));
  const most = Math.max(1, ...rate.map(([total]) => total));
  byId("rate").replaceChildren(...rate.map(([total, denied]) => {
    const bar = make("i", total === 0 ? "" : denied > 0 ? "bad" : "good");
    bar.style.height = `${Math.round(total / most * 100)}%`;
    return bar;
  }));
  const recent = rate.slice(-10).reduce((sum, [total]) => sum + total, 0) / 10;
  setText(byId("rate-text"), `${recent.toFixed(1)} decisions a second, last minute`);
}

function drawBars(id, counts, nameOf) {
  const most = Math.max(1, ...counts.top.map(([, total]) => total));
  const items = counts.top.slice(0, 8).map(([name, total, denied]) => {
    const label = make("span", "label", nameOf(name));
    label.title = visible(name);
    const track = make("div", "track", make("i"), make("i"));
    track.children[0].style.width = `${(total - denied) / most * 100}%`;
    track.children[1].style.width = `${denied / most * 100}%`;
    const figures = make("span");
    if (denied > 0) figures.append(make("span", "denied", `${grouped(denied)} denied`));
    figures.append(grouped(total));
    return make("li", "", label, figures, track);
  });
  if (items.length === 0) items.push(make("li", "quiet", "none yet"));
  if (counts.names > 8) items.push(make("li", "quiet", `and ${grouped(counts.names - 8)} more`));
  byId(id).replaceChildren(...items);
}

function drawSessions({ standing, now }) {
  const items = standing.sessions.map((session) =>
    make(
      "li",
      "",
      make(
        "div",
        "name",
        make("span", "", session.command),
        make("span", "", ago(now - session.startedMs)),
      ),
      make(
        "div",
        "sub",
        make("span", "", shortPath(session.workspace)),
        make("span", "", shortId(session.agentId)),
      ),
      make(
        "div",
        "sub",
        make("span", "", counted(session.actions, "call")),
        make("span", session.denies > 0 ? "denied" : "", `${grouped(session.denies)} denied`),
      ),
    )
  );
  if (items.length === 0) items.push(make("li", "quiet", "No agent runs."));
  byId("sessions").replaceChildren(...items);
}

/** Items by what they ask for: a button must not move from under a finger to another request. */
const approvals = new Map();

function approvalItem({ approval_id: id, shown, summary, questions }) {
  const button = (verb, text) => {
    const made = make("button", verb, text);
    made.type = "button";
    made.dataset.rule = `rule/${id}/${verb}`;
    return made;
  };
  const item = make(
    "li",
    "",
    make("div", "name", make("span", "", questions.join(", "))),
    make("pre", "", shown === "" ? summary : shown),
    make("div", "choices", button("approve", "Approve once"), button("deny", "Deny")),
  );
  item.dataset.approval = id;
  return item;
}

function drawWaiting({ standing }) {
  const waiting = standing.waiting ?? [];
  const ids = new Set(waiting.map(({ approval_id }) => approval_id));
  for (const [id, item] of approvals) {
    if (ids.has(id)) continue;
    item.remove();
    approvals.delete(id);
  }
  for (const row of waiting) {
    if (approvals.has(row.approval_id)) continue;
    const item = approvalItem(row);
    approvals.set(row.approval_id, item);
    byId("approvals").append(item);
  }
  byId("waiting").hidden = waiting.length === 0 && byId("ruled").textContent === "";
}

async function rule(path) {
  const proof = document.body.dataset.proof;
  const answer = await fetch(path, { method: "POST", headers: { "x-firma-proof": proof } });
  setText(byId("ruled"), await answer.text());
}

function drawPolicies({ policy, now }) {
  const last = policy.changes.at(-1);
  const parts = [];
  if (policy.version !== "") {
    parts.push(
      make("div", "sub", make("span", "", "in force"), make("code", "", policy.version)),
    );
  }
  if (last !== undefined) {
    parts.push(
      make(
        "div",
        "sub",
        make("span", "", `last ${last.change}`),
        make("span", "", `${ago(now - last.at)} ago`),
      ),
    );
    if (last.detail !== "") parts.push(make("p", "quiet", last.detail));
  }
  const files = policy.files.map(({ directory, file, permits, forbids }) =>
    make(
      "li",
      "",
      make("div", "name", make("span", "", file)),
      make("div", "sub", make("span", "", shortPath(directory))),
      make(
        "div",
        "sub",
        make("span", "", counted(permits, "permit")),
        make("span", "", counted(forbids, "forbid")),
      ),
    )
  );
  if (files.length > 0) parts.push(make("ul", "plain", ...files));
  if (parts.length === 0) parts.push(make("p", "quiet", "No policy was in force yet."));
  byId("policies").replaceChildren(...parts);
}

function takeOverview(overview) {
  state.home = overview.home;
  drawRunning(overview);
  drawHealth(overview);
  drawTotals(overview);
  drawBars("classes", overview.classes, (name) => name);
  drawBars("agents", overview.agents, shortId);
  drawSessions(overview);
  drawPolicies(overview);
  drawWaiting(overview);
}

// Why.

function facts(pairs) {
  const list = make("dl", "facts");
  for (const [name, value] of pairs) {
    list.append(make("dt", "", name), make("dd", "", value));
  }
  return list;
}

function whyContent(why) {
  const { row, policies = [], unknownPolicies = [], remedy } = why;
  const parts = [make("p", "because", why.why ?? row.what)];
  const reason = [row.reason, why.detail ?? ""].filter((part) => part !== "").join(": ");
  if (reason !== "") parts.push(make("p", "quiet", reason));
  if (policies.length + unknownPolicies.length > 0) {
    parts.push(make("h3", "", "Decided by"));
    for (const { id, effect, file, line, text } of policies) {
      const path = shortPath(why.directory === "" ? file : `${why.directory}/${file}`);
      parts.push(make("p", "place", `${effect} ${id}, ${path}:${line}`), make("pre", "", text));
    }
    if (unknownPolicies.length > 0) parts.push(make("p", "place", unknownPolicies.join(", ")));
    if (why.policyNote !== "") parts.push(make("p", "quiet", why.policyNote));
  }
  if (why.facts?.length > 0) parts.push(make("h3", "", "What it looked at"), facts(why.facts));
  if (remedy) {
    parts.push(make("h3", "", "What would allow it"), make("p", "", remedy.what));
    if (remedy.code !== "") parts.push(make("pre", "fix", remedy.code));
  }
  if (why.command) parts.push(make("h3", "", "Try it"), make("pre", "", why.command));
  const told = ["method", "resource", "detail"];
  const rest = (why.particulars ?? []).filter(([name]) => !told.includes(name));
  if (rest.length > 0) parts.push(make("h3", "", "The call"), facts(rest));
  return parts;
}

/** Number of the row that was asked for last. */
let opened;

async function openWhy(n) {
  const dialog = byId("why");
  opened = n;
  const answer = await fetch(`why/${n}`);
  if (opened !== n) return;
  const why = answer.ok
    ? await answer.json()
    : { row: { word: "LOG", tone: "quiet", method: "", what: await answer.text(), reason: "" } };
  byId("why-title").replaceChildren(
    make("span", why.row.tone, make("span", "badge", why.row.word)),
    `${visible(why.row.method)} ${visible(why.row.what)}`,
  );
  byId("why-body").replaceChildren(...whyContent(why));
  for (const [number, item] of drawn) {
    item.firstChild.setAttribute("aria-current", String(number === n));
  }
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}

// What a person does.

function toggle(button, isOn) {
  button.setAttribute("aria-pressed", String(isOn));
}

function toggleDenials() {
  state.onlyDenied = !state.onlyDenied;
  toggle(byId("denials"), state.onlyDenied);
  drawList();
}

function togglePause() {
  state.pausedAt = state.pausedAt === undefined ? state.rows.at(-1)?.n ?? 0 : undefined;
  toggle(byId("pause"), state.pausedAt !== undefined);
  byId("pause").textContent = state.pausedAt === undefined ? "Pause" : "Go on";
  drawList();
}

/** From one row to another, without the mouse. */
function moveFocus(by) {
  const buttons = [...byId("list").querySelectorAll(".row")];
  const at = buttons.indexOf(document.activeElement);
  const next = at < 0 ? 0 : Math.min(buttons.length - 1, Math.max(0, at + by));
  buttons[next]?.focus();
}

byId("list").addEventListener("click", (event) => {
  const row = event.target.closest(".row");
  if (row) openWhy(Number(row.dataset.n));
});
byId("approvals").addEventListener("click", (event) => {
  const button = event.target.closest("[data-rule]");
  if (!button) return;
  for (const other of button.parentElement.children) other.disabled = true;
  rule(button.dataset.rule);
});
byId("filter").addEventListener("input", (event) => {
  state.words = event.target.value;
  drawList();
});
byId("denials").addEventListener("click", toggleDenials);
byId("pause").addEventListener("click", togglePause);
byId("close").addEventListener("click", () => byId("why").close());
byId("why").addEventListener("click", (event) => {
  if (event.target === byId("why")) byId("why").close();
});
byId("why").addEventListener("close", () => {
  // The event comes late: another row may have been opened since.
  if (byId("why").open) return;
  for (const item of drawn.values()) item.firstChild.removeAttribute("aria-current");
});

for (const tab of document.querySelectorAll("[data-tab]")) {
  tab.addEventListener("click", () => {
    document.querySelector("main").dataset.shown = tab.dataset.tab;
    for (const other of document.querySelectorAll("[data-tab]")) toggle(other, other === tab);
  });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("why").open) return;
  const isTyping = event.target === byId("filter");
  if (isTyping && event.key !== "Escape" && event.key !== "ArrowDown") return;
  const actions = {
    "/": () => byId("filter").focus(),
    d: toggleDenials,
    p: togglePause,
    j: () => moveFocus(1),
    k: () => moveFocus(-1),
    ArrowDown: () => moveFocus(1),
    ArrowUp: () => moveFocus(-1),
    Escape() {
      byId("filter").value = "";
      state.words = "";
      byId("filter").blur();
      drawList();
    },
  };
  if (!Object.hasOwn(actions, event.key)) return;
  event.preventDefault();
  actions[event.key]();
});

// The stream.

function connection(tone, text) {
  const place = byId("connection");
  place.className = `pill ${tone}`;
  place.textContent = text;
}

const stream = new EventSource("events");
stream.addEventListener("open", () => connection("good", "live"));
stream.addEventListener("error", () => {
  const isOver = stream.readyState === EventSource.CLOSED;
  connection("bad", isOver ? "the monitor has ended" : "the monitor does not answer");
});
stream.addEventListener("rows", ({ data }) => takeRows(JSON.parse(data)));
stream.addEventListener("overview", ({ data }) => takeOverview(JSON.parse(data)));

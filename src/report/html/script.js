"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const read = (id) => JSON.parse($(id).textContent);
  const run = read("run");
  const page = read("data");
  const kinds = new Map(page.kinds.map((kind, rank) => [kind.id, { ...kind, rank }]));

  /** Makes an element. Texts of the service only ever become text nodes, never markup. */
  function el(name, properties, ...children) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(properties || {})) {
      if (value === undefined || value === null || value === false) continue;
      if (key === "class") element.className = value;
      else element.setAttribute(key, value === true ? "" : value);
    }
    element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
  }

  const number = (n) => n.toLocaleString("en").replace(/,/g, "\u202f");
  const count = (n, what) => `${number(n)} ${what}${n === 1 ? "" : "s"}`;
  const kindOf = (id) => kinds.get(id) || { id, level: "warn", title: id, explanation: "", rank: 99 };

  // ---------------------------------------------------------------- what was found, made ready to be asked

  const outcome = (cell) => (cell ? cell.fault || String(cell.status ?? "no status") : "not swept");
  const standing = (cell) => (!cell ? "gone" : cell.verdict === "redirected" ? "allowed" : cell.verdict);
  const writes = (cell) => Array.isArray(cell?.effects) && cell.effects.length > 0;

  /** What a search finds of an observation. */
  function words(side, cell) {
    const effects = Array.isArray(cell.effects) ? cell.effects : [cell.effects];
    const tables = effects.flatMap((label) => [label, side.effects[label]?.row || ""]);
    const probes = Object.entries(cell.probes || {}).flat();
    const also = Object.entries((cell.also && side.also[cell.also]) || {}).flat();
    return [outcome(cell), cell.by, ...(cell.refused || []), cell.gate, side.gates[cell.gate], ...(cell.headers || []), ...(cell.values || []), ...also, ...cell.discloses, ...tables, ...probes, cell.shape]
      .filter(Boolean).join("\n").toLowerCase();
  }

  function byCell(items) {
    const cells = new Map();
    for (const item of items) {
      if (item.cell === undefined) continue;
      if (!cells.has(item.cell)) cells.set(item.cell, []);
      cells.get(item.cell).push(item);
    }
    return cells;
  }

  /** What is worst comes first, else the suite's order. */
  function urgency(endpoint) {
    const ranks = endpoint.drifts.map((drift) => kindOf(drift.kind).rank);
    return Math.min(...ranks, endpoint.state === "same" ? kinds.size + 1 : kinds.size);
  }

  page.endpoints.sort((a, b) => urgency(a) - urgency(b));
  page.endpoints.forEach((endpoint, index) => {
    endpoint.index = index;
    endpoint.columns = endpoint.actors.length;
    endpoint.size = endpoint.targets.length * endpoint.columns;
    endpoint.driftsOf = byCell(endpoint.drifts);
    endpoint.findingsOf = byCell(endpoint.now.findings);
    endpoint.titleWords = `${endpoint.name} ${endpoint.title}`.toLowerCase();
    endpoint.rowWords = endpoint.targets.map((target) => target.toLowerCase());
    endpoint.columnWords = endpoint.actors.map((actor) => actor.toLowerCase());
    endpoint.words = endpoint.now.seen.map((cell) => words(endpoint.now, cell));
    endpoint.oldWords = endpoint.before?.seen.map((cell) => words(endpoint.before, cell));
    endpoint.rows = [...endpoint.targets.keys()];
    endpoint.shown = [...endpoint.actors.keys()];
    endpoint.match = new Uint8Array(endpoint.size).fill(1);
    endpoint.matches = endpoint.now.cells.filter((cell) => cell !== null).length;
  });

  const seen = (side, at) => (side && side.cells[at] !== null ? side.seen[side.cells[at]] : undefined);
  const nowAt = (endpoint, at) => seen(endpoint.now, at);
  const beforeAt = (endpoint, at) => seen(endpoint.before || endpoint.now, at);
  const placeOf = (endpoint, at) => [
    endpoint.targets[Math.floor(at / endpoint.columns)],
    endpoint.actors[at % endpoint.columns],
  ];
  const driftsAt = (endpoint, at) => endpoint.driftsOf.get(at) || [];
  const differs = (endpoint, at) => endpoint.state === "new" || endpoint.driftsOf.has(at);

  /** A cell in one sentence, for whoever does not see colours and marks. */
  function spoken(endpoint, at) {
    const [target, actor] = placeOf(endpoint, at);
    const [now, before, drifts] = [nowAt(endpoint, at), beforeAt(endpoint, at), driftsAt(endpoint, at)];
    const parts = [outcome(now)];
    // What changed is said before what is notable about the cell as it is.
    if (outcome(before) !== outcome(now)) parts.push(`was ${outcome(before)}`);
    parts.push(...new Set(drifts.map((drift) => drift.kind.replaceAll("-", " "))));
    if (endpoint.state === "new") parts.push("new");
    if (writes(now)) parts.push("changes rows");
    if (endpoint.findingsOf.has(at)) parts.push("finding");
    return `${actor} on ${target}: ${parts.join(", ")}`;
  }

  // ---------------------------------------------------------------- the heading

  function verdict(differing, widened) {
    const of = `${differing} of ${count(page.endpoints.length, "endpoint")}`;
    if (page.inconclusive) return [el("span", { class: "bad" }, "Inconclusive")];
    if (page.faults.length === 0) return [el("span", { class: "good" }, "As pinned")];
    if (differing === 0) return [el("span", { class: "bad" }, "Not as pinned"), `: ${page.faults.join(", ")}`];
    if (widened === 0) return [el("span", { class: "bad" }, "Not as pinned"), `: ${of}`];
    return [el("span", { class: "bad" }, `${count(widened, "cell")} widened`), `, ${of} not as pinned`];
  }

  function heading() {
    const sum = (value) => page.endpoints.reduce((total, endpoint) => total + value(endpoint), 0);
    const differing = sum((endpoint) => (endpoint.state === "same" ? 0 : 1));
    const widened = sum((endpoint) => endpoint.drifts.filter((drift) => drift.kind === "widened").length);
    const cells = sum((endpoint) => endpoint.now.cells.filter((cell) => cell !== null).length);
    const changed = sum((endpoint) => endpoint.driftsOf.size);
    const title = page.faults.length === 0 ? "As pinned" : "Not as pinned";
    document.title = `${page.inconclusive ? "Inconclusive" : title} \u2013 ${page.suite} \u2013 authz-pin`;
    $("suite").textContent = `Suite ${page.suite}`;
    $("verdict").append(...verdict(differing, widened));
    const facts = [
      ["cells", number(cells)],
      ["cells that differ", number(changed)],
      ["endpoints", number(page.endpoints.length)],
      ["pinned findings", number(page.findings.pinned)],
      ...[["new", "new findings"], ["gone", "findings gone"], ["not_compared", "findings not compared"]]
        .filter(([key]) => page.findings[key] > 0).map(([key, name]) => [name, number(page.findings[key])]),
      ["requests", number(run.requests)],
      ["seconds", run.seconds.toFixed(2)],
      ["made", new Date(run.made * 1000).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" })],
      ["authz-pin", run.version],
    ];
    $("seen").append(...page.seen.map((line) => el("div", {}, line)));
    $("facts").append(...facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
  }

  // ---------------------------------------------------------------- what changed, the worst first

  const GROUPS_SHOWN = 12;

  /** The endpoints of a group, each with its cells. */
  function placesOf(group) {
    return Object.entries(group.endpoints).map(([name, cells]) => ({
      endpoint: page.endpoints.find((one) => one.name === name),
      rows: Object.entries(cells),
    }));
  }

  function placeElement({ endpoint, rows }) {
    const cells = rows.flatMap(([target, actors], n) => [n ? "; " : "", el("b", {}, target), `: ${actors.join(", ")}`]);
    return [
      el("div", { class: "where" }, el("a", { href: `#endpoint-${endpoint.index}` }, endpoint.name)),
      el("div", { class: "what" }, cells.length ? el("div", { class: "cells-of" }, cells) : null),
    ];
  }

  function groupElement(group) {
    return el("div", { class: "group" },
      placesOf(group).flatMap(placeElement),
      el("div", { class: "where" }),
      el("div", { class: "what" },
        group.was ? el("span", { class: "was" }, group.was) : null,
        group.is ? el("span", { class: "is" }, group.is) : null));
  }

  function changes(limit) {
    const groups = page.groups;
    const fresh = page.endpoints.filter((endpoint) => endpoint.state === "new");
    $("changes").hidden = groups.length + fresh.length + page.beside.length === 0;
    const sections = new Map();
    const total = new Map();
    // A cell can be in several groups of a kind, of which each has some of its fields.
    for (const { kind, cell } of page.endpoints.flatMap((endpoint) => endpoint.drifts))
      if (cell !== undefined) total.set(kind, (total.get(kind) || 0) + 1);
    groups.slice(0, limit).forEach((group) => {
      if (!sections.has(group.kind)) sections.set(group.kind, kindSection(group.kind, total.get(group.kind) || 0));
      sections.get(group.kind).append(groupElement(group));
    });
    const added = fresh.map((endpoint) => el("div", { class: "kind", "data-level": "warn" },
      el("div", { class: "kind-head" }, el("span", { class: "badge" }, "new"),
        el("h3", {}, `${endpoint.name} has no snapshot yet`))));
    const beside = page.beside.map((issue) => el("div", { class: "kind", "data-level": issue.level },
      el("div", { class: "kind-head" }, el("span", { class: "badge" }, issue.id),
        el("h3", {}, `${issue.name}: ${issue.title}`)),
      issue.lines.map((line) => el("div", { class: "group" }, el("div", { class: "where" }), el("div", { class: "what" }, line)))));
    $("groups").replaceChildren(...sections.values(), ...added, ...beside);
    const more = $("all-groups");
    more.hidden = groups.length <= limit;
    more.textContent = `Show all ${count(groups.length, "group")}`;
  }

  function kindSection(id, cells) {
    const kind = kindOf(id);
    return el("div", { class: "kind", "data-level": kind.level, "data-kind": id },
      el("div", { class: "kind-head" },
        el("span", { class: "badge" }, id),
        el("h3", {}, kind.title),
        el("span", { class: "faint" }, number(cells)),
        el("button", { type: "button", class: "quiet", "data-filter-kind": id, "aria-label": `Show only cells with drift ${id}` }, "Show only these")));
  }

  // ---------------------------------------------------------------- the matrices

  const ROW = 31;
  /** Larger tables are drawn in parts, as they come into sight. */
  const PART = 25;
  const NEAR = "800px";
  /** As many cells stay in the document, where a browser's own search and a screen reader find them. */
  const KEPT = 5000;
  let view = "both";

  function mark(kind) {
    if (kind === "writes") return el("span", { class: "mark writes", "aria-hidden": true });
    return el("span", { class: "mark finding", "aria-hidden": true }, "!");
  }

  const short = (cell) => (!cell ? "\u2013" : cell.fault ? "fault" : outcome(cell));

  function cellButton(endpoint, at) {
    const [now, before, drifts] = [nowAt(endpoint, at), beforeAt(endpoint, at), driftsAt(endpoint, at)];
    const shown = view === "before" ? before : now;
    if (!now && !(endpoint.before && before)) return "";
    const changed = view !== "before" && differs(endpoint, at) && endpoint.state !== "new";
    const classes = ["cell", standing(shown), changed && "changed", !endpoint.match[at] && "off"].filter(Boolean).join(" ");
    const worst = drifts[0] && kindOf(drifts[0].kind);
    const button = el("button", {
      type: "button", class: classes, tabindex: "-1", "data-at": at, "aria-label": spoken(endpoint, at), "aria-haspopup": "dialog",
      "data-kind": changed && worst ? worst.id : undefined, "data-level": changed && worst ? worst.level : undefined,
      "aria-expanded": opened && opened.endpoint === endpoint && opened.at === at ? "true" : "false",
    });
    if (changed && view === "both" && short(before) !== short(now)) {
      button.append(el("span", { class: "old" }, short(before)), el("span", { class: "to" }, "\u2192"));
    }
    button.append(short(shown));
    if (writes(shown)) button.append(mark("writes"));
    if (view !== "before" && endpoint.findingsOf.has(at)) button.append(mark("finding"));
    return button;
  }

  const breakable = (name) => name.split(/(?<=[_\-. ])/).flatMap((part, n) => (n ? [el("wbr"), part] : [part]));

  function head(endpoint) {
    return el("thead", {}, el("tr", {}, el("td"), endpoint.shown.map((column) =>
      el("th", { scope: "col" }, breakable(endpoint.actors[column])))));
  }

  function row(endpoint, target) {
    const cells = endpoint.shown.map((column) => el("td", {}, cellButton(endpoint, target * endpoint.columns + column)));
    const name = endpoint.targets[target];
    return el("tr", {}, el("th", { scope: "row", title: name.length > 40 ? name : undefined }, name), cells);
  }

  function fillPart(part) {
    const [endpoint, from] = [page.endpoints[part.dataset.endpoint], Number(part.dataset.from)];
    part.replaceChildren(...endpoint.rows.slice(from, from + PART).map((target) => row(endpoint, target)));
    part.dataset.filled = "true";
  }

  function emptyPart(part) {
    const rows = Math.min(PART, page.endpoints[part.dataset.endpoint].rows.length - part.dataset.from);
    part.replaceChildren(el("tr", { class: "spacer", "aria-hidden": true }, el("td")));
    part.firstChild.style.height = `${rows * ROW}px`;
    delete part.dataset.filled;
  }

  function table(endpoint) {
    const parts = [];
    for (let from = 0; from < endpoint.rows.length; from += PART) {
      const part = el("tbody", { "data-endpoint": endpoint.index, "data-from": from });
      if (from === 0) fillPart(part);
      else emptyPart(part);
      parts.push(part);
    }
    return el("table", { class: "matrix", "aria-label": `${endpoint.name}: targets down, actors across` }, head(endpoint), parts);
  }

  /** Draws an endpoint's matrix, if it is near to what is in sight. */
  function draw(endpoint) {
    endpoint.drawn = true;
    const matrix = table(endpoint);
    endpoint.hold.style.minHeight = "";
    endpoint.hold.replaceChildren(el("div", { class: "wrap" }, matrix), ...notes(endpoint));
    for (const part of matrix.tBodies) if (!part.dataset.filled) observer.observe(part);
    setStop(endpoint, endpoint.hold.querySelector(`.cell[data-at="${endpoint.stop}"]`) || endpoint.hold.querySelector(".cell"));
  }

  /** Takes a matrix out of the document, and leaves its room. */
  function withdraw(endpoint, height = estimate(endpoint)) {
    endpoint.drawn = false;
    endpoint.hold.style.minHeight = `${height}px`;
    endpoint.hold.replaceChildren();
  }

  const estimate = (endpoint) => Math.min(54 + endpoint.rows.length * ROW, window.innerHeight * 0.85);

  function notes(endpoint) {
    const about = endpoint.now.findings.filter((finding) => finding.cell === undefined);
    return [
      endpoint.diff ? el("pre", { class: "diff", tabindex: "0", "aria-label": "What differs, as text" }, endpoint.diff) : null,
      about.length ? el("ul", { class: "notes" }, about.map((finding) => el("li", {}, finding.text))) : null,
    ].filter(Boolean);
  }

  function section(endpoint) {
    const tags = [...new Set(endpoint.drifts.map((drift) => drift.kind))].map((id) =>
      el("span", { class: "badge", "data-level": kindOf(id).level, "data-kind": id }, id));
    if (endpoint.state === "new") tags.push(el("span", { class: "badge", "data-level": "warn" }, "no snapshot yet"));
    if (endpoint.diff) tags.push(el("span", { class: "badge", "data-level": "warn" }, "differs beside its cells"));
    const title = `endpoint-title-${endpoint.index}`;
    endpoint.hold = el("div", { class: "hold" });
    endpoint.section = el("section", { class: "endpoint", id: `endpoint-${endpoint.index}`, "data-endpoint": endpoint.index, "aria-labelledby": title },
      el("div", { class: "endpoint-head" }, el("h2", { id: title }, endpoint.name), el("code", {}, endpoint.title), el("div", { class: "tags" }, tags)),
      endpoint.hold);
    return endpoint.section;
  }

  const observer = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (target.tagName === "TBODY") {
        if (isIntersecting && !target.dataset.filled) fillPart(target);
        continue;
      }
      const endpoint = page.endpoints[target.dataset.endpoint];
      if (isIntersecting && !endpoint.drawn) draw(endpoint);
      else if (!isIntersecting && !keepsAll && endpoint.drawn && !endpoint.section.contains(document.activeElement)) withdraw(endpoint, endpoint.hold.offsetHeight);
    }
  }, { rootMargin: NEAR });

  // ---------------------------------------------------------------- the filters

  const filter = { text: "", endpoint: "", target: "", actor: "", kind: "", differs: false };

  /** Whether each text has the word. */
  const having = (texts, word) => texts.map((text) => text.includes(word));

  /** Asks of a cell whether the word is found in it: each text is looked at once, not once per cell. */
  function found(endpoint, word) {
    if (endpoint.titleWords.includes(word)) return () => true;
    const [targets, actors] = [having(endpoint.rowWords, word), having(endpoint.columnWords, word)];
    const [now, before] = [having(endpoint.words, word), endpoint.oldWords && having(endpoint.oldWords, word)];
    const inItems = (items) => items?.some((item) => (item.text || `${item.kind} ${item.was} ${item.is}`).toLowerCase().includes(word));
    const cells = endpoint.now.cells;
    return (at, row, column) => targets[row] || actors[column] || now[cells[at]] || (before && before[endpoint.before.cells[at]])
      || inItems(endpoint.driftsOf.get(at)) || inItems(endpoint.findingsOf.get(at));
  }

  /** Not everybody calls upon every target. */
  const isCell = (endpoint, at) => endpoint.now.cells[at] !== null || (endpoint.before && endpoint.before.cells[at] !== null);

  /** Which cells match, and which rows and columns have one. */
  function select(endpoint) {
    endpoint.match.fill(0);
    endpoint.matches = 0;
    const rows = new Set();
    const columns = new Set();
    if (!filter.endpoint || filter.endpoint === endpoint.name) {
      const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean).map((word) => found(endpoint, word));
      for (let at = 0; at < endpoint.size; at += 1) {
        const [row, column] = [Math.floor(at / endpoint.columns), at % endpoint.columns];
        if (!isCell(endpoint, at)) continue;
        if (filter.target && endpoint.targets[row] !== filter.target) continue;
        if (filter.actor && endpoint.actors[column] !== filter.actor) continue;
        if (filter.differs && !differs(endpoint, at)) continue;
        if (filter.kind && !driftsAt(endpoint, at).some((drift) => drift.kind === filter.kind)) continue;
        if (!words.every((word) => word(at, row, column))) continue;
        endpoint.match[at] = 1;
        endpoint.matches += 1;
        rows.add(row);
        columns.add(column);
      }
    }
    endpoint.rows = [...rows].sort((a, b) => a - b);
    endpoint.shown = [...columns].sort((a, b) => a - b);
  }

  function apply() {
    let [cells, endpoints] = [0, 0];
    for (const endpoint of page.endpoints) {
      select(endpoint);
      const isHidden = endpoint.matches === 0 && !(isAll() && endpoint.state !== "same");
      endpoint.section.hidden = isHidden;
      cells += endpoint.matches;
      endpoints += isHidden ? 0 : 1;
    }
    redraw();
    $("count").textContent = cells === 0 ? "No cell matches" : `${count(cells, "cell")} in ${count(endpoints, "endpoint")}`;
  }

  const isAll = () => !filter.text && !filter.endpoint && !filter.target && !filter.actor && !filter.kind && !filter.differs;

  let keepsAll = false;
  let later;

  /** Draws again what is in sight; the rest is drawn when there is time, or when it comes near. */
  function redraw() {
    observer.disconnect();
    observer.takeRecords();
    clearTimeout(later);
    const shown = page.endpoints.filter((endpoint) => !endpoint.section.hidden);
    keepsAll = shown.reduce((cells, endpoint) => cells + endpoint.rows.length * endpoint.shown.length, 0) <= KEPT;
    for (const endpoint of page.endpoints) withdraw(endpoint);
    const boxes = shown.map((endpoint) => endpoint.section.getBoundingClientRect());
    const inSight = shown.filter((_, n) => boxes[n].bottom > 0 && boxes[n].top < window.innerHeight);
    for (const endpoint of inSight) draw(endpoint);
    for (const endpoint of shown) observer.observe(endpoint.section);
    if (keepsAll) later = setTimeout(drawRest, 50, shown);
  }

  function drawRest(shown) {
    const next = shown.find((endpoint) => !endpoint.drawn || endpoint.hold.querySelector("tbody:not([data-filled])"));
    if (!next) return;
    drawWhole(next);
    later = setTimeout(drawRest, 0, shown);
  }

  function drawWhole(endpoint) {
    if (!endpoint.drawn) draw(endpoint);
    endpoint.hold.querySelectorAll("tbody:not([data-filled])").forEach(fillPart);
  }

  let waiting = false;
  function applySoon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      readFilters();
      apply();
    });
  }

  function readFilters() {
    for (const name of ["text", "endpoint", "target", "actor", "kind"]) filter[name] = $(name).value;
    filter.differs = $("differs").checked;
    view = new FormData($("filters")).get("view");
  }

  function options(id, all, values) {
    $(id).append(el("option", { value: "" }, all), ...[...values].map((value) => el("option", { value }, value)));
  }

  function filters() {
    const every = (list) => new Set(page.endpoints.flatMap(list));
    options("endpoint", "All", every((endpoint) => [endpoint.name]));
    options("target", "All", every((endpoint) => endpoint.targets));
    options("actor", "All", every((endpoint) => endpoint.actors));
    const present = every((endpoint) => endpoint.drifts.map((drift) => drift.kind));
    options("kind", "Any", page.kinds.map((kind) => kind.id).filter((id) => present.has(id)));
    const form = $("filters");
    form.addEventListener("input", applySoon);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", () => setTimeout(applySoon));
  }

  function showOnly(kind) {
    $("filters").reset();
    $("kind").value = kind;
    readFilters();
    apply();
    $("matrices").focus({ preventScroll: true });
    $("filters").scrollIntoView();
  }

  // ---------------------------------------------------------------- the keyboard

  /** One cell of each matrix is reached by Tab, the others by arrows. */
  function setStop(endpoint, button) {
    if (!button) return;
    for (const other of endpoint.hold.querySelectorAll('.cell[tabindex="0"]')) other.tabIndex = -1;
    button.tabIndex = 0;
    endpoint.stop = Number(button.dataset.at);
  }

  function buttonAt(endpoint, at) {
    if (!endpoint.drawn) draw(endpoint);
    const row = endpoint.rows.indexOf(Math.floor(at / endpoint.columns));
    const part = endpoint.hold.querySelectorAll("tbody")[Math.floor(row / PART)];
    if (part && !part.dataset.filled) fillPart(part);
    return endpoint.hold.querySelector(`.cell[data-at="${at}"]`);
  }

  function focusAt(endpoint, at) {
    const button = buttonAt(endpoint, at);
    if (!button) return false;
    setStop(endpoint, button);
    button.focus();
    if (opened) open(endpoint, at);
    return true;
  }

  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -Infinity], End: [0, Infinity] };

  function neighbour(endpoint, by) {
    const shown = page.endpoints.filter((other) => other.matches > 0);
    return shown[shown.indexOf(endpoint) + by];
  }

  /** Moves from a cell; past the last row lies the next endpoint. */
  function move(endpoint, at, [down, right]) {
    let row = endpoint.rows.indexOf(Math.floor(at / endpoint.columns)) + down;
    const column = endpoint.shown.indexOf(at % endpoint.columns);
    if (row < 0 || row >= endpoint.rows.length) {
      endpoint = neighbour(endpoint, down);
      if (!endpoint) return;
      row = down > 0 ? 0 : endpoint.rows.length - 1;
    }
    const cells = endpoint.shown.map((shown, place) => ({ place, at: endpoint.rows[row] * endpoint.columns + shown }))
      .filter((cell) => isCell(endpoint, cell.at));
    // Where a row has no cell in the column, the nearest one before it stands for it.
    const next = cells.findLastIndex((cell) => cell.place <= column) + right;
    focusAt(endpoint, cells[Math.min(Math.max(next, 0), cells.length - 1)].at);
  }

  /** The cells that differ and are not filtered away, in reading order. */
  function differing() {
    return page.endpoints.flatMap((endpoint) => [...endpoint.driftsOf.keys()]
      .filter((at) => endpoint.match[at]).sort((a, b) => a - b).map((at) => ({ endpoint, at })));
  }

  function nextDifference(from, by) {
    const all = differing();
    const order = ({ endpoint, at }) => endpoint.index * 1e9 + at;
    const here = order(from);
    return by > 0 ? all.find((cell) => order(cell) > here) : all.findLast((cell) => order(cell) < here);
  }

  function cellOf(element) {
    const button = element.closest?.(".cell[data-at]");
    const owner = button?.closest(".endpoint");
    return owner ? { endpoint: page.endpoints[owner.dataset.endpoint], at: Number(button.dataset.at), button } : undefined;
  }

  function keys(event) {
    if (event.key === "Escape" && opened) {
      event.preventDefault();
      close();
      return;
    }
    const cell = cellOf(event.target);
    if (!cell || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    const difference = { n: 1, p: -1 }[event.key];
    if (step) move(cell.endpoint, cell.at, step);
    else if (difference) {
      const next = nextDifference(cell, difference);
      if (next) focusAt(next.endpoint, next.at);
    } else return;
    event.preventDefault();
  }

  // ---------------------------------------------------------------- the details of a cell

  let opened;

  function open(endpoint, at) {
    if (opened) expanded(opened, false);
    opened = { endpoint, at };
    expanded(opened, true);
    $("details-body").replaceChildren(...details(endpoint, at));
    $("details").scrollTop = 0;
    $("details").hidden = false;
    document.body.classList.add("open");
    $("previous").disabled = !nextDifference(opened, -1);
    $("next").disabled = !nextDifference(opened, 1);
  }

  function close() {
    const { endpoint, at } = opened;
    expanded(opened, false);
    opened = undefined;
    $("details").hidden = true;
    document.body.classList.remove("open");
    // A filter may have taken the cell away meanwhile.
    (buttonAt(endpoint, at) || $("text")).focus();
  }

  function expanded({ endpoint, at }, value) {
    endpoint.hold.querySelector(`.cell[data-at="${at}"]`)?.setAttribute("aria-expanded", String(value));
  }

  /** From the details to another cell that differs. */
  function step(by) {
    const next = nextDifference(opened, by);
    if (!next) return;
    const button = buttonAt(next.endpoint, next.at);
    setStop(next.endpoint, button);
    open(next.endpoint, next.at);
    button?.scrollIntoView({ block: "center" });
    $("details-heading").focus();
  }

  const part = (title, ...content) => [el("h3", {}, title), ...content];

  function outcomeElement(now, before) {
    const is = el("span", { class: standing(now) }, outcome(now));
    if (outcome(now) === outcome(before)) return el("p", { class: "outcome" }, is);
    return el("p", { class: "outcome" }, el("span", { class: "old" }, outcome(before)), el("span", { class: "arrow", "aria-label": "now" }, "\u2192"), is);
  }

  function driftElement(drift) {
    const kind = kindOf(drift.kind);
    return el("div", { class: "drift", "data-kind": drift.kind, "data-level": kind.level },
      el("div", {}, el("span", { class: "badge" }, drift.kind), " ", el("span", { class: "title" }, kind.title)),
      drift.was ? el("span", { class: "was" }, drift.was) : null,
      drift.is ? el("span", { class: "is" }, drift.is) : null,
      el("p", { class: "why" }, kind.explanation));
  }

  /** Items of both sides, each with the class of the side that alone has it. */
  function beside(now, before, key = (item) => item) {
    const [is, was] = [new Set(now.map(key)), new Set(before.map(key))];
    return [
      ...before.filter((item) => !is.has(key(item))).map((item) => [item, "old"]),
      ...now.map((item) => [item, was.has(key(item)) ? "" : "new"]),
    ];
  }

  function gatePart(endpoint, now, before) {
    const text = (side, cell) => (cell?.gate ? [side.gates[cell.gate] || cell.gate] : []);
    const items = beside(text(endpoint.now, now), text(endpoint.before || endpoint.now, before));
    return items.length ? part("Gate", ...items.map(([item, side]) => el("span", { class: side ? `value ${side}` : "" }, item))) : [];
  }

  function rulePart(endpoint, now, before) {
    const text = (cell) => [...(cell?.by ? [cell.by] : []), ...(cell?.refused || []).map((part) => `${part} refused`)];
    const items = beside(text(now), text(before));
    return items.length ? part("Decided by", chips(items)) : [];
  }

  function headersPart(endpoint, now, before) {
    const items = beside(now?.headers || [], before?.headers || []);
    return items.length ? part("Headers", chips(items)) : [];
  }

  function valuesPart(now, before) {
    const items = beside(now?.values || [], before?.values || []);
    if (!items.length) return [];
    const changed = items.filter(([, side]) => side);
    const all = el("details", changed.length ? {} : { open: "" }, el("summary", {}, count(items.length, "value")), chips(items));
    return part("Values", ...(changed.length ? [chips(changed)] : []), all);
  }

  function alsoPart(endpoint, now, before) {
    const fields = (side, cell) => Object.entries((cell?.also && side.also[cell.also]) || {}).map(([path, value]) => `${path}: ${value}`);
    const items = beside(fields(endpoint.now, now), fields(endpoint.before || endpoint.now, before));
    return items.length ? part("Also told", ...items.map(([item, side]) => el("span", { class: side ? `value ${side}` : "value" }, item))) : [];
  }

  function chips(items) {
    return el("ul", { class: "chips" }, items.map(([item, side]) => el("li", { class: `chip ${side}` }, item)));
  }

  function disclosuresPart(now, before) {
    const items = beside(now?.discloses || [], before?.discloses || []);
    return part("Discloses", items.length ? chips(items) : el("p", { class: "faint" }, "no identifier"));
  }

  function effectsPart(endpoint, now, before) {
    const list = (side, cell) => (Array.isArray(cell?.effects) ? cell.effects : []).map((label) => ({ label, change: side.effects[label] || {} }));
    const items = beside(list(endpoint.now, now), list(endpoint.before || endpoint.now, before), ({ label }) => label);
    if (now?.effects === "not observed") return part("Row changes", el("p", { class: "faint" }, "not observed"));
    return part("Row changes", ...(items.length ? items.map(effectElement) : [el("p", { class: "faint" }, "none")]));
  }

  const written = (value) => (typeof value === "string" ? value : `${value.old} -> ${value.new}`);

  function effectElement([{ label, change }, side]) {
    const columns = Object.entries(change.columns || {}).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, written(value))]);
    return el("div", { class: `effect ${side}` },
      el("div", {}, side === "old" ? "\u2212 " : side === "new" ? "+ " : "", el("span", { class: "name" }, label.replace(/ [0-9a-f]{4}$/, "")), " ", el("code", { class: "faint" }, change.row || "")),
      columns.length ? el("dl", {}, columns) : null);
  }

  function probesPart(now, before) {
    const list = (cell) => Object.entries(cell?.probes || {}).map(([name, reply]) => `${name}: ${reply}`);
    const items = beside(list(now), list(before));
    return items.length ? part("Probes, after the call", chips(items)) : [];
  }

  function shapePart(endpoint, now, before) {
    const fields = (side, cell) => (cell?.shape ? side.shapes[cell.shape] || [] : []);
    const items = beside(fields(endpoint.now, now), fields(endpoint.before || endpoint.now, before));
    if (!items.length) return [];
    return part("Shape of the body", el("details", {}, el("summary", {}, count(items.length, "field")), chips(items)));
  }

  function findingsPart(endpoint, at) {
    const findings = endpoint.findingsOf.get(at) || [];
    return findings.length ? part("Findings", el("ul", {}, findings.map(({ text }) => el("li", {}, text)))) : [];
  }

  function repeatPart(endpoint, at, actor) {
    const line = endpoint.line[at] === null ? undefined : endpoint.lines[endpoint.line[at]];
    if (!line) return [];
    const copy = el("button", { type: "button", class: "quiet", "data-copy": true }, "Copy");
    const named = line.includes("$ACTOR_") || line.includes("${ACTOR_") ? ` The actor is ${actor}.` : "";
    return part("Repeat the call", el("div", { class: "command" },
      el("pre", { tabindex: "0", "aria-label": "Command line" }, el("code", {}, line)), copy,
      el("p", { class: "faint" }, `Variables stand for the values that a run makes.${named}`)));
  }

  function details(endpoint, at) {
    const [target, actor] = placeOf(endpoint, at);
    const [now, before] = [nowAt(endpoint, at), beforeAt(endpoint, at)];
    const drifts = driftsAt(endpoint, at);
    return [
      el("h2", { id: "details-heading", tabindex: "-1" }, `${actor} on ${target}`),
      el("p", { class: "faint" }, `${endpoint.name} `, el("code", {}, endpoint.title)),
      outcomeElement(now, before),
      ...(drifts.length ? part("Drift", ...drifts.map(driftElement)) : []),
      ...gatePart(endpoint, now, before),
      ...rulePart(endpoint, now, before),
      ...headersPart(endpoint, now, before),
      ...alsoPart(endpoint, now, before),
      ...findingsPart(endpoint, at),
      ...effectsPart(endpoint, now, before),
      ...disclosuresPart(now, before),
      ...probesPart(now, before),
      ...valuesPart(now, before),
      ...shapePart(endpoint, now, before),
      ...repeatPart(endpoint, at, actor),
    ];
  }

  async function copy(button) {
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  }

  function clicks(event) {
    const cell = cellOf(event.target);
    if (cell) {
      setStop(cell.endpoint, cell.button);
      open(cell.endpoint, cell.at);
      // A key press or a screen reader goes on in the dialog, a mouse in the matrix.
      if (event.detail === 0) $("details-heading").focus();
      return;
    }
    const button = event.target.closest?.("button");
    if (button?.dataset.filterKind) showOnly(button.dataset.filterKind);
    if (button?.dataset.copy !== undefined) copy(button);
  }

  // ---------------------------------------------------------------- light and dark

  const THEMES = ["auto", "light", "dark"];

  function theme(name) {
    if (name === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = name;
    $("theme").textContent = `Theme: ${name}`;
    $("theme").dataset.theme = name;
  }

  /** A browser may refuse to remember anything for a file. */
  function remembered(name) {
    try {
      if (name) localStorage.setItem("authz-pin-theme", name);
      return localStorage.getItem("authz-pin-theme");
    } catch {
      return name;
    }
  }

  function themes() {
    const saved = remembered();
    theme(THEMES.includes(saved) ? saved : "auto");
    $("theme").addEventListener("click", () => {
      const next = THEMES[(THEMES.indexOf($("theme").dataset.theme) + 1) % THEMES.length];
      theme(next);
      remembered(next);
    });
  }

  function legend() {
    const sample = (classes, text, ...marks) => el("span", { class: `cell ${classes}`, "aria-hidden": true }, text, ...marks);
    const changed = (id, ...content) => el("span", { class: "cell changed", "aria-hidden": true, "data-kind": id, "data-level": kindOf(id).level }, ...content);
    const items = [
      [sample("allowed", "200"), "allowed"],
      [sample("denied", "403"), "denied"],
      [sample("fault", "fault"), "no answer"],
      [sample("allowed", "200", mark("writes")), "changes rows"],
      [sample("denied", "401", mark("finding")), "has a finding"],
      [changed("widened", "403\u2192200"), "widened"],
      [changed("narrowed", "200\u2192403"), "narrowed"],
      [changed("gate-changed", "403"), "differs otherwise, by the colour of its drift"],
    ];
    $("legend").append(...items.map(([example, text]) => el("li", {}, example, text)));
  }

  function start() {
    themes();
    heading();
    changes(GROUPS_SHOWN);
    legend();
    filters();
    $("matrices").append(...page.endpoints.map(section));
    readFilters();
    apply();
    document.addEventListener("click", clicks);
    document.addEventListener("keydown", keys);
    $("close").addEventListener("click", close);
    $("previous").addEventListener("click", () => step(-1));
    $("next").addEventListener("click", () => step(1));
    $("all-groups").addEventListener("click", () => changes(Infinity));
    window.addEventListener("beforeprint", () => {
      observer.disconnect();
      for (const endpoint of page.endpoints) {
        if (!endpoint.section.hidden) drawWhole(endpoint);
      }
    });
    window.addEventListener("afterprint", redraw);
  }

  start();
})();

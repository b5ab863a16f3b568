/* What the reports have in common; each begins with it. */
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const make = (name, text, className) => { const node = document.createElement(name); if (text !== undefined) node.textContent = text; if (className) node.className = className; return node; };
const number = (x) => x.toLocaleString("en", { maximumFractionDigits: 2 });
const shown = (v) => v === null ? "(null)" : v;
if (data.manifest_sha256) {
  $("manifest").textContent = data.manifest_sha256;
  $("tool").textContent = data.tool;
  $("result").textContent = data.result === "pass" ? "passed" : "failed";
  $("result").classList.add(data.result === "pass" ? "pass" : "fail");
}

/* A table that sorts by its headers. It holds as many rows as can be looked at; a button below adds the others. `search` gives
 * the words of an item. Returns a function that keeps the items for which its argument is true, and says how many. */
function sortable(table, columns, items, search, fill) {
  const FIRST = 200, head = table.tHead.rows[0], body = table.tBodies[0], more = make("button", undefined, "more");
  let kept = items, limit = FIRST;
  more.type = "button"; table.parentNode.after(more);
  more.addEventListener("click", () => { limit = Infinity; show(); });
  const show = () => {
    const rows = document.createDocumentFragment();
    for (const item of kept.slice(0, limit)) { const row = make("tr"); rows.append(row); fill(row, item); }
    body.replaceChildren(rows);
    more.hidden = kept.length <= limit; more.textContent = `Show all ${number(kept.length)}`;
  };
  columns.forEach((column) => {
    const th = make("th", undefined, column.numeric ? "n" : ""), button = make("button", column.title);
    button.type = "button"; th.append(button); head.append(th);
    button.addEventListener("click", () => {
      const up = th.getAttribute("aria-sort") !== "ascending", order = (a, b) => { const x = column.key(a), y = column.key(b), o = x < y ? -1 : x > y ? 1 : 0; return up ? o : -o; };
      for (const other of head.cells) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", up ? "ascending" : "descending");
      items.sort(order); kept = kept === items ? items : [...kept].sort(order);
      show();
    });
  });
  show();
  return (word, also) => { kept = items.filter((item) => (!word || search(item).toLowerCase().includes(word)) && (!also || also(item))); limit = FIRST; show(); return kept.length; };
}

const space = "http://www.w3.org/2000/svg";
const draw = (name, attributes, text) => { const node = document.createElementNS(space, name); for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v); if (text !== undefined) node.textContent = text; return node; };

/* Keeps what holds the word that is typed and what `also` does not turn down. */
function searchable(id, keep, total, also) {
  const input = $(id + "-search");
  const search = () => { $(id + "-count").textContent = `${number(keep(input.value.toLowerCase(), also))} of ${number(total)}`; };
  input.addEventListener("input", search);
  search();
  return search;
}
/* A button that opens what `detail` makes below its row. */
function opener(row, text, columns, detail) {
  const button = make("button", text);
  button.type = "button"; button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const open = button.getAttribute("aria-expanded") === "true";
    if (open) { row.nextSibling.remove(); } else { const below = make("tr", undefined, "detail"), cell = below.insertCell(); cell.colSpan = columns; cell.append(detail()); row.after(below); }
    button.setAttribute("aria-expanded", String(!open));
  });
  row.insertCell().append(button);
}
/* The list of fields: one table at a time or all of them; / begins a search. */
function fieldList(keep) {
  for (const t of ["all tables", ...data.tables.map((x) => x.table ?? x)]) $("table").append(make("option", t));
  const search = searchable("field", keep, data.fields.length, (f) => $("table").selectedIndex <= 0 || f.table === $("table").value);
  $("table").addEventListener("change", search);
  document.addEventListener("keydown", (e) => { if (e.key === "/" && !/INPUT|SELECT/.test(document.activeElement.tagName)) { e.preventDefault(); $("field-search").focus(); } });
}

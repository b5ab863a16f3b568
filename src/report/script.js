/* What the reports have in common; each begins with it. */
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const make = (name, text, className) => { const node = document.createElement(name); if (text !== undefined) node.textContent = text; if (className) node.className = className; return node; };
const number = (x) => x.toLocaleString("en", { maximumFractionDigits: 2 });
const shown = (v) => v === null ? "(null)" : v;
$("manifest").textContent = data.manifest_sha256;
$("tool").textContent = data.tool;
$("result").textContent = data.result === "pass" ? "passed" : "failed";
$("result").classList.add(data.result === "pass" ? "pass" : "fail");

/* A table that sorts by its headers; rows are made for the page once, and filtered by hiding. */
function sortable(table, columns, items, fill) {
  const head = table.tHead.rows[0], body = table.tBodies[0];
  let rows = items.map((item) => { const row = document.createElement("tr"); fill(row, item); return { item, row, text: (row.textContent + " " + (item.search || "")).toLowerCase() }; });
  const show = () => { closeDetails(table); body.replaceChildren(...rows.map((r) => r.row)); };
  columns.forEach((column, at) => {
    const th = make("th", undefined, column.numeric ? "n" : ""), button = make("button", column.title);
    button.type = "button"; th.append(button); head.append(th);
    button.addEventListener("click", () => {
      const up = th.getAttribute("aria-sort") !== "ascending";
      for (const other of head.cells) other.removeAttribute("aria-sort");
      th.setAttribute("aria-sort", up ? "ascending" : "descending");
      rows.sort((a, b) => { const x = column.key(a.item), y = column.key(b.item), o = x < y ? -1 : x > y ? 1 : 0; return up ? o : -o; });
      show();
    });
  });
  show();
  return (keep) => { let n = 0; for (const r of rows) { r.row.hidden = !keep(r); n += !r.row.hidden; } closeDetails(table); return n; };
}
function closeDetails(table) {
  for (const row of table.querySelectorAll("tr.detail")) row.remove();
  for (const button of table.querySelectorAll("[aria-expanded=true]")) button.setAttribute("aria-expanded", "false");
}

const space = "http://www.w3.org/2000/svg";
const draw = (name, attributes, text) => { const node = document.createElementNS(space, name); for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v); if (text !== undefined) node.textContent = text; return node; };

/* Hides the rows that do not hold the word that is typed, or that `also` turns down. */
function searchable(id, keep, total, also) {
  const input = $(id + "-search");
  const search = () => { const word = input.value.toLowerCase(); $(id + "-count").textContent = `${number(keep((r) => r.text.includes(word) && (!also || also(r))))} of ${number(total)}`; };
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
  const search = searchable("field", keep, data.fields.length, (r) => $("table").selectedIndex <= 0 || r.item.table === $("table").value);
  $("table").addEventListener("change", search);
  document.addEventListener("keydown", (e) => { if (e.key === "/" && !/INPUT|SELECT/.test(document.activeElement.tagName)) { e.preventDefault(); $("field-search").focus(); } });
}

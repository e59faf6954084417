"use strict";
const form = document.getElementById("filter"), search = document.getElementById("search");
const items = [...document.querySelectorAll(".item")], places = [...document.querySelectorAll(".place")].reverse();
const findings = [...document.querySelectorAll(".finding")];
function filter() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const states = [...form.querySelectorAll("input:checked")].map((box) => box.value);
  let shown = 0;
  for (const item of items) {
    const own = item.dataset.state.split(" ");
    const text = item.textContent.toLowerCase();
    item.hidden = !states.includes(own[0]) || (states.includes("assumed") && !own.includes("assumed")) || !words.every((word) => text.includes(word));
    shown += !item.hidden;
  }
  for (const place of places) {
    const inside = [...place.querySelectorAll(".item")];
    place.hidden = inside.length > 0 && inside.every((item) => item.hidden);
    if (words.length && !place.hidden && inside.length) place.open = true;
  }
  document.getElementById("shown").textContent = `${shown} of ${items.length} shown`;
}
function show() { // opens the place that a link leads to
  for (let at = document.getElementById(location.hash.slice(1)); at; at = at.parentElement) if (at.tagName === "DETAILS") at.open = true;
}
function step(by) {
  const visible = findings.filter((item) => !item.hidden).map((item) => item.firstElementChild);
  const at = visible.indexOf(document.activeElement);
  visible[at < 0 ? 0 : Math.min(Math.max(at + by, 0), visible.length - 1)]?.focus();
}
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && event.target === search) { search.value = ""; filter(); search.blur(); }
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { event.preventDefault(); search.focus(); }
  if (event.key === "j") step(1);
  if (event.key === "k") step(-1);
});
let opened = [];
addEventListener("beforeprint", () => { opened = [...document.querySelectorAll("details:not([open])")]; for (const each of opened) each.open = true; });
addEventListener("afterprint", () => { for (const each of opened) each.open = false; });
addEventListener("hashchange", show);
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
filter();
show();

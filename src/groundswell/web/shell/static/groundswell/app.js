// What pages do beyond links and forms. Every act here has a plain way too; nothing is evaluated from text.

const body = document.body;
const said = document.getElementById("said");
const single = document.getElementById("single-keys");
let waitsForLetter = false;

export function say(text) {
  if (said) said.textContent = text;
}

// Until the next frame, what had the focus in a dialog that Escape closed keeps it: no one types there any more.
const inField = (event) =>
  event.target.closest("input, select, textarea, [contenteditable], dialog") !== null &&
  event.target.closest("dialog:not([open])") === null;

// ------------------------------------------------------------------------------------------------ frame

for (const select of document.querySelectorAll("[data-submits]")) {
  select.addEventListener("change", () => select.form.requestSubmit());
}
for (const one of document.querySelectorAll("[data-without-script]")) one.hidden = true;

const menu = document.querySelector(".menu");
menu?.addEventListener("click", () =>
  menu.setAttribute("aria-expanded", menu.getAttribute("aria-expanded") === "true" ? "false" : "true"),
);

let lastPicked = null; // where a range begins that a click with Shift ends

function open(name) {
  const dialog = document.getElementById(name);
  if (!dialog) return;
  dialog.showModal();
  if (name === "palette") window.htmx?.trigger("#find", "input");
}

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) open(opener.dataset.opens);
  const closer = event.target.closest("[data-closes]");
  if (closer) { event.preventDefault(); closeDrawer(); }
  const all = event.target.closest("[data-selects-all]");
  if (all) for (const box of boxes()) box.checked = all.checked;
  const picked = event.target.closest("[data-row] input[type=checkbox]");
  if (picked) {
    const every = boxes(), from = every.indexOf(lastPicked), to = every.indexOf(picked);
    if (event.shiftKey && from >= 0) {
      for (const box of every.slice(Math.min(from, to), Math.max(from, to) + 1)) box.checked = picked.checked;
    }
    lastPicked = picked;
  }
  if (all || event.target.matches("[data-row] input[type=checkbox]")) countSelected();
});

if (single) {
  single.checked = localStorage.getItem("single-keys") !== "off";
  single.addEventListener("change", () => localStorage.setItem("single-keys", single.checked ? "on" : "off"));
}

// ------------------------------------------------------------------------------------------------ lists

const rows = () => [...document.querySelectorAll("[data-row]")];
const boxes = () => [...document.querySelectorAll("[data-row] input[type=checkbox]")];
const current = () => document.querySelector("[data-row].here");

function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.indexOf(current());
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  current()?.classList.remove("here");
  next.classList.add("here");
  next.querySelector("a")?.focus();
}

function showSelected() {
  const count = boxes().filter((box) => box.checked).length;
  for (const one of document.querySelectorAll("[data-selected]")) one.textContent = String(count);
  for (const one of document.querySelectorAll("[data-needs-selection]")) one.hidden = count === 0;
  return count;
}
showSelected();

function countSelected() {
  const count = showSelected();
  say(count === 1 ? "1 selected" : `${count} selected`);
}

let opener = null;

function closeDrawer() {
  const drawer = document.getElementById("drawer");
  if (!drawer || !drawer.firstElementChild) return;
  const back = drawer.firstElementChild.dataset.back;
  drawer.replaceChildren();
  if (back) history.pushState(null, "", back);
  opener?.focus();
  opener = null;
}

body.addEventListener("htmx:configRequest", (event) => {
  const { verb, formData } = event.detail;
  if (verb !== "get") return;
  for (const [name, value] of [...formData.entries()]) if (value === "") formData.delete(name);
});
body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target?.id === "drawer") opener = event.detail.elt;
});
body.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target;
  if (target.id === "drawer") target.querySelector("[tabindex='-1'], h2, a, button")?.focus();
  if (target.dataset.says) { showSelected(); say(target.dataset.says); }
});
body.addEventListener("htmx:responseError", (event) => {
  say(`That did not work (${event.detail.xhr.status}). Nothing was changed.`);
});

// ------------------------------------------------------------------------------------------------- keys

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open("palette");
    return;
  }
  if (event.key === "Escape") closeDrawer();
  if (inField(event) || event.ctrlKey || event.metaKey || event.altKey || (single && !single.checked)) return;
  if (waitsForLetter) {
    waitsForLetter = false;
    document.querySelector(`[data-key="${CSS.escape(event.key)}"]`)?.click();
    return;
  }
  const here = current();
  const acts = {
    "/": () => document.querySelector("main input[type=search]")?.focus(),
    "?": () => open("keys"),
    g: () => { waitsForLetter = true; },
    j: () => move(1),
    k: () => move(-1),
    o: () => { const page = here?.querySelector("[data-page]"); if (page) location.assign(page.href); },
    x: () => here?.querySelector("input[type=checkbox]")?.click(),
    v: () => document.querySelector(".tabs.lists a[aria-current], .tabs.lists a")?.focus(),
    u: () => document.querySelector("[data-upload] input[type=file]")?.click(),
    "[": () => document.querySelector("[rel=prev]")?.click(),
    "]": () => document.querySelector("[rel=next]")?.click(),
  };
  const act = acts[event.key] ?? (/^[1-9]$/.test(event.key) ? () => document.querySelectorAll(".tabs a, [data-nth]")[event.key - 1]?.click() : null);
  if (act) {
    event.preventDefault();
    act();
  }
});

document.getElementById("palette")?.addEventListener("keydown", (event) => {
  const links = [...document.querySelectorAll("#found a")];
  if (!links.length || !["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
  const at = links.indexOf(document.activeElement);
  if (event.key === "Enter") {
    if (at < 0) { event.preventDefault(); links[0].click(); }
    return;
  }
  event.preventDefault();
  links[(at + (event.key === "ArrowDown" ? 1 : -1) + links.length) % links.length].focus();
});

// ----------------------------------------------------------------------------------------------- upload

for (const form of document.querySelectorAll("[data-upload]")) {
  const files = form.querySelector("input[type=file]");
  const bar = form.querySelector("[data-progress]");
  const send = () => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "upload");
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable || !bar) return;
      bar.hidden = false;
      bar.querySelector("rect").setAttribute("width", `${(100 * event.loaded) / event.total}%`);
      say(`${Math.round((100 * event.loaded) / event.total)} % sent`);
    });
    request.addEventListener("load", () => location.assign(request.responseURL || location.href));
    request.addEventListener("error", () => say("The file did not arrive. Try again."));
    request.send(new FormData(form));
  };
  form.addEventListener("submit", (event) => { event.preventDefault(); if (files.files.length) send(); });
  for (const name of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.toggle("over", name === "dragover");
      if (name === "drop" && event.dataTransfer.files.length) { files.files = event.dataTransfer.files; send(); }
    });
  }
}

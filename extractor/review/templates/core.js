// What every page does: messages, requests, keys, undo.
const body = document.body;
const make = (tag, words, name) => Object.assign(document.createElement(tag), { textContent: words, className: name ?? "" });
const click = (selector) => document.querySelector(selector)?.click();
const GONE = "extractor review has ended or cannot be reached: nothing was saved. Start it again and open its new address; what you typed is still here.";

function announce(words, bad = false) {
  const line = document.getElementById("status");
  if (!line) return;
  line.textContent = words;
  line.classList.toggle("bad", bad);
}

// A message that is read on the next page.
const later = (words) => sessionStorage.setItem("message", words);

// What a key or a click begins is finished before the next one begins: whoever types fast loses no key, and none
// is answered by what was on the page before.
let turn = Promise.resolve();
let leaving = false;
function inTurn(job) {
  turn = turn.then(() => (leaving ? null : job())).catch((error) => announce(`This failed: ${error.message}`, true));
  return turn;
}

// ---- requests ----------------------------------------------------------------------------------

// The answer of the server; null, with a message, if there is none.
async function ask(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    announce(GONE, true);
    return null;
  }
}

async function post(path, data) {
  const answer = await ask(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(data) });
  if (!answer) return null;
  return { status: answer.status, ...(await answer.json().catch(() => ({ error: `HTTP status ${answer.status}` }))) };
}

const unsaved = () => document.querySelector("form[data-changed]");

// Another page, unless that would lose what was typed, or the server is gone.
async function go(address) {
  const form = unsaved();
  if (form) {
    announce("Save or leave the open form first; Esc leaves it.", true);
    form.elements[0].focus();
    return;
  }
  delete body.dataset.ready;
  if (await ask("/alive")) {
    leaving = new URL(address, location.href).pathname !== location.pathname;
    location.assign(address);
  } else {
    body.dataset.ready = "";
  }
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='/']");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  inTurn(() => go(link.href));
});
addEventListener("beforeunload", (event) => unsaved() && event.preventDefault());

// ---- keys --------------------------------------------------------------------------------------

const help = document.getElementById("help");
const off = document.getElementById("keys-off");

function onKeys(table) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || off.checked || event.isComposing) return;
    if (document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select")) return;
    const act = table[event.key];
    if (!act) return;
    event.preventDefault();
    inTurn(act);
  });
}

if (help) {
  off.checked = localStorage.getItem("keys") === "off";
  off.addEventListener("change", () => localStorage.setItem("keys", off.checked ? "off" : "on"));
  document.addEventListener("click", ({ target }) => target.closest("[data-help]") && help.showModal());
}

// Opens a dialog; `chosen` gets the value of the button that closed it, and `keys` press its buttons.
function choice(id, keys, chosen) {
  const dialog = document.getElementById(id);
  const pressed = (event) => {
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    // Once the dialog is closed, the key would be one of the page's.
    event.stopPropagation();
    dialog.close(keys[event.key]);
  };
  dialog.returnValue = "";
  dialog.addEventListener("keydown", pressed);
  dialog.addEventListener("close", () => {
    dialog.removeEventListener("keydown", pressed);
    if (dialog.returnValue) inTurn(() => chosen(dialog.returnValue));
  }, { once: true });
  dialog.showModal();
}

// ---- undo --------------------------------------------------------------------------------------

// The server knows what this reviewer did last, on whichever letter.
async function undo() {
  if (unsaved()) return go("");
  const answer = await post("/undo", {});
  if (!answer) return null;
  if (answer.error) return announce(answer.error, true);
  if (answer.letter === location.pathname && body.dataset.page === "letter") return reload(answer.summary);
  later(answer.summary);
  return go(`${answer.letter}${body.dataset.query ?? location.search}`);
}

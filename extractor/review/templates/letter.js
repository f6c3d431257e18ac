// One letter: decisions, corrections, evidence.
let one;
let pages;
let chosen = null; // raw offsets of the selected words

const nameOf = (field) => field.querySelector(".name").firstChild.textContent;
const here = () => `/letter/${body.dataset.key}`;
// Sends an act; null, with a message, if it was not made.
async function act(request) {
  const answer = await post(`${here()}/act${body.dataset.query ?? ""}`, { ...request, version: body.dataset.version });
  if (answer?.left) confirmOpen(answer.left);
  else if (!answer || answer.status === 200) return answer;
  else if (answer.status === 409) conflict(answer.since);
  else announce(answer.error, true);
  return null;
}

function conflict(since) {
  const dialog = document.getElementById("conflict");
  dialog.querySelector("ul").replaceChildren(...since.map((words) => make("li", words)));
  dialog.showModal();
}

function confirmOpen(left) {
  const lines = left.map((each) => {
    const item = document.createElement("li");
    item.append(findingLine(each));
    return item;
  });
  document.querySelector("#left ul").replaceChildren(...lines);
  choice("left", { a: "accept" }, () => decide({ act: "accept", confirmed: true }));
}

async function decide(request) {
  if (unsaved()) return go("");
  const answer = await act(request);
  if (!answer) return null;
  later(`${body.dataset.letter} ${answer.summary}. Press u to undo.`);
  return go(answer.next);
}

function reject() {
  const reasons = [...document.querySelectorAll("#reject button[value]")].map((each) => each.value).filter(Boolean);
  choice("reject", Object.fromEntries(reasons.map((reason, i) => [String(i + 1), reason])), (reason) => decide({ act: "reject", reason }));
}

async function change(request) {
  if (unsaved()) return go("");
  const answer = await act(request);
  if (!answer) return false;
  await reload(`${answer.summary}. Press u to undo.`);
  return true;
}

// The letter's present state is loaded in place, so that the reader keeps her position.
async function reload(words) {
  const answer = await ask(location.href);
  if (!answer) return null;
  if (!answer.ok) return announce("the letter can no longer be displayed", true);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const path = one.current()?.dataset.path;
  const panes = ["pre", ".pages", ".record", ".outline"];
  const kept = panes.map((each) => document.querySelector(each)?.scrollTop ?? 0);
  const folds = new Map([...document.querySelectorAll("details[data-part]")].map((each) => [each.dataset.part, each.open]));
  const drawn = new Map([...document.querySelectorAll(".pages img")].map((each) => [each.src, each]));
  for (const name of ["version", "before", "following"]) body.dataset[name] = fresh.body.dataset[name];
  document.querySelector(".bar").replaceWith(fresh.querySelector(".bar"));
  document.querySelector(".one").replaceWith(fresh.querySelector(".one"));
  document.querySelectorAll(".pages img").forEach((each) => drawn.has(each.src) && each.replaceWith(drawn.get(each.src)));
  document.querySelectorAll("details[data-part]").forEach((each) => (each.open = folds.get(each.dataset.part) ?? each.open));
  open();
  panes.forEach((each, i) => {
    const pane = document.querySelector(each);
    if (pane) pane.scrollTop = kept[i];
  });
  const field = one.fields().find((each) => each.dataset.path === path);
  if (field) one.choose(field);
  announce(words ?? "");
  return null;
}

// What a click inside the letter means.
function clicked(target) {
  const name = (each) => target.closest(`[data-${each}]`)?.getAttribute(`data-${each}`);
  if (target.closest("[data-correct]")) return correct(target.closest(".field"));
  if (target.closest("[data-evidence]")) return evidence();
  if (target.closest("[data-fill]")) return change({ act: "fill" });
  if (target.closest("button[data-view]")) pages.view(target.closest("button").dataset.view);
  if (target.closest("[data-zoom]")) pages.zoom();
  if (name("take-finding")) return take({ finding: Number(name("take-finding")) });
  if (name("take-from")) return take({ from: name("take-from"), path: name("path") });
  if (name("remove")) return change({ act: "remove", path: name("remove") });
  if (name("add")) return change({ act: "add", path: name("add") });
  if (target.closest("[data-undo-here]")) return change({ act: "undo" });
  if (name("to-part")) one.toPart(name("to-part"));
  return null;
}

function open() {
  const root = document.querySelector(".one");
  one = oneLetter(root);
  pages = letterPages(one);
  root.addEventListener("chosen", tool);
  root.addEventListener("click", ({ target }) => inTurn(() => clicked(target)));
  document.querySelectorAll(".bar [data-act]").forEach((each) =>
    each.addEventListener("click", () => inTurn(() => (each.dataset.act === "reject" ? reject() : decide({ act: each.dataset.act })))),
  );
  document.querySelector(".bar [data-undo]").addEventListener("click", () => inTurn(undo));
  tool();
}

// ---- taking what a witness says --------------------------------------------------------------------

async function take(request) {
  const before = one.stops();
  const at = before.indexOf(one.stop());
  if (!(await change({ act: "take", ...request }))) return;
  const left = one.stops();
  const next = left.length < before.length ? left[at] ?? left[0] : left[at + 1] ?? left[0];
  const words = document.getElementById("status").textContent;
  if (next) one.choose(next);
  else announce(`${words} No finding is left: a accepts the letter.`);
}

function takeHere(selector, none, at = 0) {
  const button = one.stop()?.querySelectorAll(selector)[at];
  if (button) button.click();
  else announce(none, true);
}

function removeHere() {
  const record = one.stop()?.closest("[data-record]")?.dataset.record;
  if (record) change({ act: "remove", path: record });
  else announce("Choose a field of the record to remove first.", true);
}

// ---- evidence --------------------------------------------------------------------------------------

// Offsets are of the raw text in code points; a run of characters carries the offset of its first.
function rawOffset(node, offset, atEnd) {
  let run = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node).closest("[data-s]");
  if (!run) {
    const next = node.childNodes[offset];
    const near = next?.nodeType === Node.ELEMENT_NODE ? next : node.childNodes[offset - 1];
    run = near?.closest?.("[data-s]") ?? near?.querySelector?.("[data-s]");
    if (!run) return null;
    if (near !== next) offset = run.textContent.length;
    else offset = 0;
  } else if (node.nodeType !== Node.TEXT_NODE) {
    offset = offset ? run.textContent.length : 0;
  }
  const start = Number(run.dataset.s);
  if (run.dataset.n) return atEnd && offset ? start + Number(run.dataset.n) : start;
  return start + [...run.textContent.slice(0, offset)].length;
}

// A selection that ends inside a word means the word; the server snaps the offsets likewise.
function wholeWords(range) {
  const letterOrDigit = /[\p{L}\p{N}]/u;
  const { startContainer: first, endContainer: final } = range;
  const words = range.toString();
  if (first.nodeType === Node.TEXT_NODE && letterOrDigit.test(words[0])) {
    let at = range.startOffset;
    while (at > 0 && letterOrDigit.test(first.data[at - 1])) at -= 1;
    range.setStart(first, at);
  }
  if (final.nodeType === Node.TEXT_NODE && letterOrDigit.test(words.at(-1))) {
    let at = range.endOffset;
    while (at < final.data.length && letterOrDigit.test(final.data[at])) at += 1;
    range.setEnd(final, at);
  }
  return range;
}

function selected() {
  const selection = getSelection();
  if (!one?.text || selection.isCollapsed || !selection.rangeCount) return null;
  const range = selection.getRangeAt(0);
  if (!one.text.contains(range.startContainer) || !one.text.contains(range.endContainer)) return null;
  const whole = wholeWords(range.cloneRange());
  const [start, end] = [rawOffset(whole.startContainer, whole.startOffset, false), rawOffset(whole.endContainer, whole.endOffset, true)];
  return start !== null && end !== null && start < end ? { span: [start, end], words: whole.toString() } : null;
}

function tool() {
  const button = document.querySelector("[data-evidence]");
  if (!button) return;
  const field = one.current();
  button.disabled = !chosen || !field;
  button.querySelector("b").textContent = field ? nameOf(field) : "the chosen field";
}

async function evidence() {
  const field = one.current();
  if (one.side.dataset.view === "pages") {
    pages.view("text");
    return announce("Words are selected in the text: select some, then press e. v goes back to the pages.");
  }
  chosen = selected() ?? chosen;
  if (!chosen || !field) return announce(field ? "Select words of the letter first." : "Choose a field first: j, or a click.", true);
  const span = chosen.span;
  getSelection().removeAllRanges();
  chosen = null;
  await change({ act: "evidence", path: field.dataset.path, spans: [span] });
  return null;
}

// ---- walking ---------------------------------------------------------------------------------------

function step(by) {
  const all = one.fields().filter((each) => each.checkVisibility());
  let at = all.indexOf(one.current());
  if (at < 0 && by < 0) at = all.length;
  const next = all[at + by];
  return next ? one.choose(next) : announce("That is the last field.");
}

function toFinding(by) {
  const all = one.stops();
  if (!all.length) return announce("No check found anything.");
  const at = all.indexOf(one.stop());
  const next = at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by;
  if (next < 0 || next === all.length) announce(all.length === 1 ? "That is the only finding." : `Around: ${all.length} places with findings.`);
  else announce("");
  return one.choose(all[(next + all.length) % all.length]);
}

function letter() {
  open();
  sessionStorage.setItem("at", location.pathname);
  document.addEventListener("selectionchange", () => {
    const found = selected();
    // A click on a button moves the focus; the selection is kept for use.
    if (found || one.text?.contains(getSelection().anchorNode)) chosen = found;
    tool();
  });
  document.getElementById("conflict").addEventListener("close", () => inTurn(() => reload("Reloaded.")));
  onKeys({
    j: () => step(1),
    k: () => step(-1),
    f: () => toFinding(1),
    F: () => toFinding(-1),
    t: () => takeHere("[data-take-finding]", "This finding names no value to take: c corrects the field."),
    1: () => takeHere("[data-take-from]", "No one else was asked about this field."),
    2: () => takeHere("[data-take-from]", "No second other value is known for this field.", 1),
    "+": () => (document.querySelector("[data-add]") ? click("[data-add]") : announce("No part of the letter is missing.")),
    "-": removeHere,
    "[": () => one.stepPart(-1),
    "]": () => one.stepPart(1),
    o: () => one.fold(),
    n: () => (body.dataset.following ? go(body.dataset.following) : announce("That is the last letter.")),
    p: () => (body.dataset.before ? go(body.dataset.before) : announce("That is the first letter.")),
    a: () => click(".bar [data-act=accept]:not(:disabled)"),
    r: () => click(".bar [data-act=reject]"),
    s: () => click(".bar [data-act=skip]"),
    c: () => (document.querySelector("[data-fill]") ? click("[data-fill]") : correct(one.current())),
    e: evidence,
    m: comment,
    v: () => (one.pages ? pages.view(one.side.dataset.view === "pages" ? "text" : "pages") : announce("This letter has no page pictures.")),
    z: () => one.side.dataset.view === "pages" && pages.zoom(),
    u: undo,
    "/": () => go(`${body.dataset.queue}#find`),
    "?": () => help.showModal(),
  });
  click(".summary .go");
}

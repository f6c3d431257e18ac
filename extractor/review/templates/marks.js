"use strict";
// One letter: its text and its record; selecting in one marks the counterpart in the other.
function oneLetter(root) {
  const text = root.querySelector("pre");
  const pages = root.querySelector(".pages");
  const side = root.querySelector(".text");
  // Of text and page pictures, the one that is shown.
  const pane = () => (side.dataset.view === "pages" ? pages : text);
  const record = root.querySelector(".record");
  const has = (mark, kind, number) => (mark.dataset[kind] ?? "").split(" ").includes(String(number));
  const marks = (kind, number) => [...root.querySelectorAll("mark, path")].filter((mark) => has(mark, kind, number));
  const fields = () => [...root.querySelectorAll(".field")];
  const current = () => root.querySelector(".field.here");
  // Where findings are: fields, and findings that are about no single field.
  const stops = () => [...root.querySelectorAll("[data-flagged]")];
  const stop = () => root.querySelector(".field.here, .loose.here");
  const parts = () => [...root.querySelectorAll("details[data-part]")];

  // The pane is scrolled, never the page from under the reader.
  function into(frame, target, share) {
    const [outer, inner] = [frame.getBoundingClientRect(), target.getBoundingClientRect()];
    const fits = inner.top >= outer.top + 8 && inner.bottom <= outer.bottom - 8;
    if (!fits) frame.scrollTop += inner.top - outer.top - frame.clientHeight * share;
    const visible = inner.left >= outer.left && inner.right <= outer.right;
    if (!visible && frame === pages) frame.scrollLeft += inner.left - outer.left - 8;
  }

  function highlight(found) {
    root.querySelectorAll("mark.here, path.here").forEach((each) => each.classList.remove("here"));
    found.forEach((each) => each.classList.add("here"));
    ends(found.filter((each) => each.localName === "mark"));
    look();
  }

  // Marks without other words between them are one shape, closed at its two ends.
  function ends(found) {
    root.querySelectorAll("mark.first, mark.last").forEach((each) => each.classList.remove("first", "last"));
    found.forEach((each, i) => {
      if (found[i - 1]?.nextElementSibling !== each) each.classList.add("first");
      if (each.nextElementSibling !== found[i + 1] || !found[i + 1]) each.classList.add("last");
    });
  }

  function look() {
    const first = pane() && pane().querySelector("mark.here, path.here");
    if (first) into(pane(), first, 0.3);
  }

  // `target` is a field, or a finding about no single one.
  function choose(target, { focus = true, look = true } = {}) {
    root.querySelectorAll(".field, .loose").forEach((each) => {
      each.classList.toggle("here", each === target);
      each.querySelector(".name")?.toggleAttribute("aria-current", each === target);
    });
    if (!target) return;
    const part = target.closest("details[data-part]");
    if (part) part.open = true;
    root.querySelectorAll("[data-to-part]").forEach((each) => each.toggleAttribute("aria-current", each.dataset.toPart === part?.dataset.part));
    const pointer = target.querySelector(".to");
    const proof = target.dataset.field ? marks("f", target.dataset.field) : [];
    if (look) highlight(proof.length || !pointer ? proof : marks("g", pointer.dataset.g));
    into(record, target, 0.25);
    if (focus) (target.querySelector(".name") ?? target).focus({ preventScroll: true });
    root.dispatchEvent(new Event("chosen"));
  }

  function toPart(number) {
    const part = root.querySelector(`details[data-part="${number}"]`);
    part.open = true;
    choose(part.querySelector("[data-flagged]") ?? part.querySelector(".field, .loose"));
    into(record, part, 0);
  }

  function stepPart(by) {
    const all = parts();
    const at = all.indexOf(stop()?.closest("details[data-part]"));
    const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : at + by];
    if (next) toPart(next.dataset.part);
  }

  function fold() {
    const part = stop()?.closest("details[data-part]") ?? parts()[0];
    if (part) part.open = !part.open;
  }

  root.addEventListener("click", ({ target }) => {
    const mark = target.closest("mark, path");
    const to = target.closest(".to");
    const go = target.closest(".go");
    if (mark && getSelection().isCollapsed) {
      const numbers = (mark.dataset.f ?? "").split(" ").filter(Boolean);
      const at = numbers.indexOf(current()?.dataset.field ?? "");
      const number = numbers[(at + 1) % numbers.length];
      const finding = (mark.dataset.g ?? "").split(" ")[0];
      if (number) choose(root.querySelector(`.field[data-field="${number}"]`), { focus: false, look: false });
      else toFinding(finding, false);
      highlight(number ? marks("f", number) : marks("g", finding));
    } else if (to) {
      choose(to.closest(".field, .loose"), { look: false });
      highlight(marks("g", to.dataset.g));
    } else if (go) {
      toFinding(go.dataset.target, true);
    } else if (target.closest(".name, .value")) {
      choose(target.closest(".field"));
    }
  });

  function toFinding(number, look) {
    const finding = root.querySelector(`[data-finding="${number}"]`) ?? root.querySelector(`.to[data-g="${number}"]`)?.closest(".finding") ?? null;
    const target = finding?.closest(".field, .loose") ?? null;
    if (target) choose(target, { look: false });
    if (look) highlight(marks("g", number));
  }

  return { choose, current, fields, fold, look, marks, pages, record, side, stepPart, stop, stops, text, toPart };
}

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
  const marks = (kind, number) => [...root.querySelectorAll("mark, rect")].filter((mark) => has(mark, kind, number));
  const fields = () => [...root.querySelectorAll(".field")];
  const current = () => root.querySelector(".field.here");

  // The pane is scrolled, never the page from under the reader.
  function into(frame, target, share) {
    const [outer, inner] = [frame.getBoundingClientRect(), target.getBoundingClientRect()];
    const fits = inner.top >= outer.top + 8 && inner.bottom <= outer.bottom - 8;
    if (!fits) frame.scrollTop += inner.top - outer.top - frame.clientHeight * share;
    const visible = inner.left >= outer.left && inner.right <= outer.right;
    if (!visible && frame === pages) frame.scrollLeft += inner.left - outer.left - 8;
  }

  function highlight(found) {
    root.querySelectorAll("mark.here, rect.here").forEach((each) => each.classList.remove("here"));
    found.forEach((each) => each.classList.add("here"));
    look();
  }

  function look() {
    const first = pane() && pane().querySelector("mark.here, rect.here");
    if (first) into(pane(), first, 0.3);
  }

  function choose(field, { focus = true, look = true } = {}) {
    fields().forEach((each) => {
      each.classList.toggle("here", each === field);
      each.querySelector(".name").toggleAttribute("aria-current", each === field);
    });
    if (!field) return;
    const pointer = field.querySelector(".to");
    const proof = marks("f", field.dataset.field);
    if (look) highlight(proof.length || !pointer ? proof : marks("g", pointer.dataset.g));
    into(record, field, 0.25);
    if (focus) field.querySelector(".name").focus({ preventScroll: true });
    root.dispatchEvent(new Event("chosen"));
  }

  root.addEventListener("click", ({ target }) => {
    const mark = target.closest("mark, rect");
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
      const field = to.closest(".field");
      if (field) choose(field, { look: false });
      highlight(marks("g", to.dataset.g));
    } else if (go) {
      toFinding(go.dataset.target, true);
    } else if (target.closest(".name, .value")) {
      choose(target.closest(".field"));
    }
  });

  function toFinding(number, look) {
    const finding = root.querySelector(`[data-finding="${number}"]`) ?? root.querySelector(`.to[data-g="${number}"]`)?.closest(".finding") ?? null;
    const field = finding?.closest(".field") ?? null;
    if (field) choose(field, { look: false });
    else if (finding) into(record, finding, 0.25);
    if (look) highlight(marks("g", number));
  }

  return { choose, current, fields, look, marks, pages, record, side, text };
}

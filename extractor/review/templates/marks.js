"use strict";
// One letter: its text and its record, each showing what belongs to it in the other.
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
    const seen = inner.left >= outer.left && inner.right <= outer.right;
    if (!seen && frame === pages) frame.scrollLeft += inner.left - outer.left - 8;
  }

  function show(found) {
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
    const told = field.querySelector(".to");
    const proof = marks("f", field.dataset.field);
    if (look) show(proof.length || !told ? proof : marks("g", told.dataset.g));
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
      const told = (mark.dataset.g ?? "").split(" ")[0];
      if (number) choose(root.querySelector(`.field[data-field="${number}"]`), { focus: false, look: false });
      else toFinding(told, false);
      show(number ? marks("f", number) : marks("g", told));
    } else if (to) {
      const field = to.closest(".field");
      if (field) choose(field, { look: false });
      show(marks("g", to.dataset.g));
    } else if (go) {
      toFinding(go.dataset.told, true);
    } else if (target.closest(".name, .value")) {
      choose(target.closest(".field"));
    }
  });

  function toFinding(number, look) {
    const told = root.querySelector(`[data-holds="${number}"]`) ?? root.querySelector(`.to[data-g="${number}"]`)?.closest(".told") ?? null;
    const field = told?.closest(".field") ?? null;
    if (field) choose(field, { look: false });
    else if (told) into(record, told, 0.25);
    if (look) show(marks("g", number));
  }

  return { choose, current, fields, look, marks, pages, record, side, text };
}

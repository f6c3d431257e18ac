"use strict";
(() => {
  // Sorting, filtering and jumping. The page is whole without it, so its controls are created or revealed here.

  function sorts(table) {
    const body = table.tBodies[0];
    const { compare } = new Intl.Collator("en", { numeric: true });
    const heads = [...table.tHead.rows[0].cells];
    const key = (row, column, kind) => {
      const cell = row.cells[column];
      const text = cell.dataset.value ?? cell.textContent.trim();
      return kind === "number" ? Number(text.replaceAll(",", "").replace("\u2212", "-")) : text;
    };
    heads.forEach((head, column) => {
      const kind = head.dataset.sort;
      if (!kind) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        // Figures from the top first, words from A.
        const first = kind === "number" && !table.classList.contains("rows") ? "descending" : "ascending";
        const other = first === "ascending" ? "descending" : "ascending";
        const order = head.getAttribute("aria-sort") === first ? other : first;
        heads.forEach((each) => each.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", order);
        const keyed = [...body.rows].map((row) => [key(row, column, kind), row]);
        const sign = order === "ascending" ? 1 : -1;
        keyed.sort(([a], [b]) => sign * (kind === "number" ? a - b : compare(a, b)));
        body.append(...keyed.map(([, row]) => row));
        table.dispatchEvent(new Event("sorted"));
      });
    });
  }

  // This many rows are displayed at a time: a browser lays out thousands slowly, and nobody reads them.
  const MOST = 300;

  function filters(controls) {
    const table = document.getElementById(controls.dataset.for);
    const body = table.tBodies[0];
    const words = new Map([...body.rows].map((row) => [row, row.textContent.toLowerCase()]));
    const [search, only] = ["search", "checkbox"].map((type) => controls.querySelector(`input[type=${type}]`));
    const kinds = [...controls.querySelectorAll("button[data-kind]")];
    const output = controls.querySelector("output");
    const more = controls.querySelector("button[data-more]");
    let most = MOST;
    const apply = () => {
      const wanted = search.value.trim().toLowerCase().split(/\s+/);
      const kind = kinds.find((button) => button.getAttribute("aria-pressed") === "true").dataset.kind;
      let found = 0;
      for (const row of body.rows) {
        const fits =
          (!kind || row.dataset.kind === kind) &&
          (!only?.checked || "protected" in row.dataset) &&
          wanted.every((word) => words.get(row).includes(word));
        found += fits;
        row.hidden = !fits || found > most;
      }
      more.hidden = found <= most;
      const limit = found > most ? `, the first ${most} shown` : "";
      output.value = `${found.toLocaleString("en")} of ${words.size.toLocaleString("en")}${limit}`;
    };
    search.addEventListener("input", apply);
    only?.addEventListener("change", apply);
    table.addEventListener("sorted", apply);
    more.addEventListener("click", () => {
      most = Infinity;
      apply();
    });
    kinds.forEach((button) =>
      button.addEventListener("click", () => {
        kinds.forEach((each) => each.setAttribute("aria-pressed", String(each === button)));
        apply();
      }),
    );
    controls.hidden = false;
    apply();
  }

  // What a link points into is opened first.
  function reveal(hash) {
    const target = document.getElementById(hash.slice(1));
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    return target;
  }

  // A link to a mark scrolls the letter's text, not the page from under the reader.
  function showMark(mark) {
    const text = mark.closest("pre");
    document.querySelectorAll("mark.here").forEach((each) => each.classList.remove("here"));
    mark.classList.add("here");
    text.scrollTop += mark.getBoundingClientRect().top - text.getBoundingClientRect().top - text.clientHeight / 3;
    text.scrollIntoView({ block: "nearest" });
    text.focus({ preventScroll: true });
  }

  document.querySelectorAll("table[data-sorts]").forEach(sorts);
  document.querySelectorAll(".controls[data-for]").forEach(filters);
  document.querySelectorAll(".controls[data-open]").forEach((controls) => {
    const letters = document.getElementById(controls.dataset.open);
    controls.addEventListener("click", ({ target }) => {
      const all = target.dataset.all;
      if (all) letters.querySelectorAll("details").forEach((each) => (each.open = all === "open"));
    });
    controls.hidden = false;
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    const target = link && reveal(link.hash);
    if (target && link.matches(".to-mark")) {
      event.preventDefault();
      showMark(target);
    }
  });
  addEventListener("hashchange", () => reveal(location.hash));
  reveal(location.hash)?.scrollIntoView();
})();

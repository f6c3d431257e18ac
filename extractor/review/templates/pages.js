// Pictures of a letter's pages beside its text: which of them is shown, and how large.
function letterPages(one) {
  const { pages, side } = one;
  if (!pages) return { view() {}, zoom() {} };
  const larger = document.querySelector("[data-zoom]");

  function view(name) {
    side.dataset.view = name;
    document.querySelectorAll("button[data-view]").forEach((each) => each.setAttribute("aria-pressed", each.dataset.view === name));
    one.look();
    localStorage.setItem("view", name);
  }

  function zoom(large = !pages.classList.contains("large")) {
    pages.classList.toggle("large", large);
    larger.setAttribute("aria-pressed", large);
    one.look();
    sessionStorage.setItem("zoom", large ? "on" : "off");
  }

  // A page that cannot be drawn is replaced by the reason.
  async function lost({ target }) {
    const answer = await fetch(target.src).catch(() => null);
    if (answer?.ok) return;
    const heading = answer && new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("h1");
    const note = document.createElement("figcaption");
    const why = heading ? heading.textContent : "extractor review has ended, or cannot be reached";
    note.textContent = `${target.alt.split(",")[0]} cannot be shown: ${why}`;
    target.closest("figure").replaceChildren(note);
  }

  pages.addEventListener("error", lost, true);
  view(localStorage.getItem("view") ?? "pages");
  zoom(sessionStorage.getItem("zoom") === "on");
  return { view, zoom };
}

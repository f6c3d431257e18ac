// The queue: keys walk its rows.
function queue() {
  const links = [...document.querySelectorAll(".letters tbody th a")];
  const move = (step) => {
    const at = links.indexOf(document.activeElement);
    const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step))];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  const find = document.getElementById("find");
  const filters = document.querySelector(".filters");
  filters?.querySelectorAll("select").forEach((each) => each.addEventListener("change", () => filters.requestSubmit()));
  filters?.addEventListener("submit", (event) => {
    event.preventDefault();
    inTurn(() => go(`/?${new URLSearchParams(new FormData(filters))}`));
  });
  onKeys({
    j: () => move(1),
    k: () => move(-1),
    n: () => click("a[rel=next]"),
    p: () => click("a[rel=prev]"),
    A: () => click("a[data-together]"),
    u: undo,
    "/": () => find?.select(),
    "?": () => help.showModal(),
  });
  if (location.hash === "#find") find?.select();
  const at = sessionStorage.getItem("at");
  links.find((each) => new URL(each.href).pathname === at)?.focus();
}

// Letters that are accepted at once, after a look at each.
function together() {
  const boxes = [...document.querySelectorAll("input[data-key]")];
  const accept = document.querySelector("[data-accept-all]");
  const count = () => {
    const chosen = boxes.filter((each) => each.checked).length;
    accept.disabled = !chosen;
    accept.querySelector("b").textContent = chosen;
  };
  boxes.forEach((each) => each.addEventListener("change", count));
  accept?.addEventListener("click", () => inTurn(async () => {
    const letters = boxes.filter((each) => each.checked).map((each) => [each.dataset.key, each.dataset.version]);
    const answer = await post("/together", { act: "accept", code: body.dataset.code, letters });
    if (!answer) return null;
    if (answer.error) return announce(answer.error, true);
    later(`${answer.summary}. Press u to undo.`);
    return go(body.dataset.queue);
  }));
  onKeys({ A: () => accept?.click(), u: undo, "/": () => go("/#find"), "?": () => help.showModal() });
  count();
}

if (body.dataset.page === "letter") letter();
else if (body.dataset.page === "queue") queue();
else if (body.dataset.page === "together") together();
const message = sessionStorage.getItem("message");
if (message) announce(message);
sessionStorage.removeItem("message");
body.dataset.ready = "";

(() => {
  const body = document.body;
  const page = body.dataset.page;
  const announce = (words, bad = false) => {
    const line = document.getElementById("status");
    if (!line) return;
    line.textContent = words;
    line.classList.toggle("bad", bad);
  };
  const make = (tag, words, name) => Object.assign(document.createElement(tag), { textContent: words, className: name ?? "" });

  // ---- keys ------------------------------------------------------------------------------------

  const help = document.getElementById("help");
  const off = document.getElementById("keys-off");
  off.checked = localStorage.getItem("keys") === "off";
  off.addEventListener("change", () => localStorage.setItem("keys", off.checked ? "off" : "on"));
  document.addEventListener("click", ({ target }) => target.closest("[data-help]") && help.showModal());

  function onKeys(table) {
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || off.checked || event.isComposing) return;
      if (document.querySelector("dialog[open]")) return;
      if (event.target.closest("input, textarea, select")) return;
      const act = table[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    });
  }
  const click = (selector) => document.querySelector(selector)?.click();

  // ---- the queue -------------------------------------------------------------------------------

  function queue() {
    const links = [...document.querySelectorAll(".letters tbody th a")];
    const move = (step) => {
      const at = links.indexOf(document.activeElement);
      const next = links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + step))];
      next?.focus();
      next?.scrollIntoView({ block: "nearest" });
    };
    const find = document.getElementById("find");
    document.querySelectorAll(".filters select").forEach((each) => each.addEventListener("change", () => each.form.submit()));
    onKeys({
      j: () => move(1),
      k: () => move(-1),
      n: () => click("a[rel=next]"),
      p: () => click("a[rel=prev]"),
      u: undo,
      "/": () => find.select(),
      "?": () => help.showModal(),
    });
    if (location.hash === "#find") find.select();
    const at = sessionStorage.getItem("at");
    links.find((each) => new URL(each.href).pathname === at)?.focus();
  }

  // ---- acting ----------------------------------------------------------------------------------

  const post = async (path, data) => {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(data),
    });
    return { status: answer.status, ...(await answer.json().catch(() => ({ error: `HTTP status ${answer.status}` }))) };
  };
  const here = () => `/letter/${body.dataset.key}`;
  let busy = false;

  async function act(request, path = here(), version = body.dataset.version) {
    if (busy) return null;
    busy = true;
    try {
      const answer = await post(`${path}/act${body.dataset.query ?? ""}`, { ...request, version });
      if (answer.status === 200) return answer;
      if (answer.status === 409 && page === "letter") conflict(answer.since);
      else announce(answer.error, true);
    } catch {
      announce("extractor review has ended, or cannot be reached; nothing was saved", true);
    } finally {
      busy = false;
    }
    return null;
  }

  function conflict(since) {
    const dialog = document.getElementById("conflict");
    dialog.querySelector("ul").replaceChildren(...since.map((words) => make("li", words)));
    dialog.showModal();
  }

  // The last decision can be undone from any page.
  const last = {
    get: () => JSON.parse(sessionStorage.getItem("last") ?? "null"),
    set: (decision) => (decision ? sessionStorage.setItem("last", JSON.stringify(decision)) : sessionStorage.removeItem("last")),
  };

  async function decide(name) {
    const [count, answerSha] = body.dataset.version.split(".");
    const answer = await act({ act: name });
    if (!answer) return;
    last.set({ path: here(), version: `${Number(count) + 1}.${answerSha}` });
    sessionStorage.setItem("message", `${body.dataset.letter} ${answer.summary}. Press u to undo.`);
    location.assign(answer.next);
  }

  async function undo() {
    const decision = last.get();
    const answer = decision ? await act({ act: "undo" }, decision.path, decision.version) : page === "letter" && (await act({ act: "undo" }));
    if (!answer) {
      if (!decision && page === "queue") announce("No recent decision to undo; open a letter to undo its last action.");
      last.set(null);
      return;
    }
    last.set(null);
    if (decision && decision.path !== location.pathname) {
      sessionStorage.setItem("message", "Undone.");
      location.assign(`${decision.path}${body.dataset.query ?? location.search}`);
    } else {
      await reload("Undone.");
    }
  }

  // The letter's present state is loaded in place, so that the reader keeps her position.
  async function reload(words) {
    const answer = await fetch(location.href);
    if (!answer.ok) return announce("the letter can no longer be displayed", true);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const path = document.querySelector(".field.here")?.dataset.path;
    const panes = ["pre", ".pages", ".record"];
    const kept = panes.map((each) => document.querySelector(each)?.scrollTop ?? 0);
    const drawn = new Map([...document.querySelectorAll(".pages img")].map((each) => [each.src, each]));
    for (const name of ["version", "before", "following"]) body.dataset[name] = fresh.body.dataset[name];
    document.querySelector(".bar").replaceWith(fresh.querySelector(".bar"));
    document.querySelector(".one").replaceWith(fresh.querySelector(".one"));
    document.querySelectorAll(".pages img").forEach((each) => drawn.has(each.src) && each.replaceWith(drawn.get(each.src)));
    open();
    panes.forEach((each, i) => {
      const pane = document.querySelector(each);
      if (pane) pane.scrollTop = kept[i];
    });
    const field = [...document.querySelectorAll(".field")].find((each) => each.dataset.path === path);
    if (field) one.choose(field);
    announce(words ?? "");
    return null;
  }

  // ---- one letter ------------------------------------------------------------------------------

  let one;
  let pages;
  let chosen = null; // raw offsets of the selected words

  function open() {
    const root = document.querySelector(".one");
    one = oneLetter(root);
    pages = letterPages(one);
    root.addEventListener("chosen", tool);
    root.addEventListener("click", ({ target }) => {
      const name = (each) => target.closest(`[data-${each}]`)?.dataset[each];
      if (target.closest("[data-correct]")) correct(target.closest(".field"));
      else if (target.closest("[data-evidence]")) evidence();
      else if (target.closest("[data-fill]")) change({ act: "fill" });
      else if (target.closest("button[data-view]")) pages.view(target.closest("button").dataset.view);
      else if (target.closest("[data-zoom]")) pages.zoom();
      else if (name("remove")) change({ act: "remove", path: name("remove") });
      else if (name("add")) change({ act: "add", path: name("add") });
    });
    document.querySelectorAll(".bar [data-act]").forEach((each) => each.addEventListener("click", () => decide(each.dataset.act)));
    document.querySelector(".bar [data-undo]").addEventListener("click", undo);
    tool();
  }

  async function change(request) {
    const answer = await act(request);
    if (!answer) return false;
    last.set(null);
    await reload(`${answer.summary}. Press u to undo.`);
    return true;
  }

  // ---- evidence --------------------------------------------------------------------------------

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

  function selected() {
    const selection = getSelection();
    if (!one?.text || selection.isCollapsed || !selection.rangeCount) return null;
    const range = selection.getRangeAt(0);
    if (!one.text.contains(range.startContainer) || !one.text.contains(range.endContainer)) return null;
    const [start, end] = [rawOffset(range.startContainer, range.startOffset, false), rawOffset(range.endContainer, range.endOffset, true)];
    return start !== null && end !== null && start < end ? { span: [start, end], words: selection.toString() } : null;
  }

  function tool() {
    const button = document.querySelector("[data-evidence]");
    if (!button) return;
    const field = one.current();
    button.disabled = !chosen || !field;
    button.querySelector("b").textContent = field ? field.querySelector(".name").textContent : "the chosen field";
  }

  async function evidence() {
    const field = one.current();
    if (one.side.dataset.view === "pages") {
      pages.view("text", false);
      return announce("Words are selected in the text: select some, then press e.");
    }
    chosen = selected() ?? chosen;
    if (!chosen || !field) return announce(field ? "Select words of the letter first." : "Choose a field first: j, or a click.", true);
    const span = chosen.span;
    getSelection().removeAllRanges();
    chosen = null;
    await change({ act: "evidence", path: field.dataset.path, spans: [span] });
    return null;
  }

  // ---- forms -----------------------------------------------------------------------------------

  const leave = () => {
    const form = document.querySelector("form.correct, form.commenting");
    const field = form?.closest(".field");
    form?.remove();
    if (field) one.choose(field, { look: false });
  };

  async function correct(field) {
    if (!field) return announce("Choose a field first: j, or a click.", true);
    leave();
    one.choose(field, { focus: false });
    const answer = await fetch(`${here()}/input?path=${encodeURIComponent(field.dataset.path)}`);
    if (!answer.ok) return announce("this field cannot be corrected", true);
    const form = document.importNode(new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("form"), true);
    field.append(form);
    wire(form, field);
    return null;
  }

  function wire(form, field) {
    const { text: control } = form.elements;
    const none = form.elements.null;
    const output = form.querySelector("output");
    const request = () => ({ path: field.dataset.path, text: none?.checked ? null : control.value });
    let waiting = 0;
    let newest = 0;
    const attempt = async () => {
      const mine = ++newest;
      const answer = await post(`${here()}/try`, request()).catch(() => ({ error: "the server cannot be reached" }));
      if (mine === newest) judge(output, answer);
    };
    const soon = () => {
      clearTimeout(waiting);
      waiting = setTimeout(attempt, 180);
    };
    const silence = () => (control.disabled = Boolean(none?.checked));
    none?.addEventListener("change", () => (silence(), soon()));
    control.addEventListener("input", soon);
    form.querySelector("[data-take]")?.addEventListener("click", () => {
      chosen = selected() ?? chosen;
      if (!chosen) return announce("Select words of the letter first.", true);
      const words = chosen.words.replace(/\s+/g, " ").trim();
      if (none) none.checked = false;
      silence();
      control.value = control.dataset.kind === "texts" && control.value.trim() ? `${control.value.trimEnd()}\n${words}` : words;
      soon();
      control.focus();
      return null;
    });
    form.querySelector("[data-leave]").addEventListener("click", leave);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") leave();
      else if (event.key === "Enter" && event.target === control && (event.ctrlKey || event.metaKey || !["texts", "json"].includes(control.dataset.kind))) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      clearTimeout(waiting);
      newest += 1;
      await change({ act: "correct", ...request() });
    });
    // A value that is not stated starts as an empty, open field.
    if (none?.checked) none.checked = false;
    silence();
    control.focus();
    control.select?.();
    form.scrollIntoView({ block: "nearest" });
  }

  function judge(output, answer) {
    if (answer.error) return output.replaceChildren(make("p", answer.error, "bad"));
    if (answer.same) return output.replaceChildren(make("p", "The field has this value already."));
    const lines = answer.findings.map((each) => {
      const line = make("p", "", each.look);
      line.append(make("span", each.sign, "sign"), " ", make("span", `${each.blame}:`, "tag"), ` ${each.message}`);
      if (each.expected) line.append(`; ${each.side}: ${each.expected}`);
      if (each.field) line.append(" ", make("span", each.field, "path"));
      return line;
    });
    const resolved = answer.resolved ? `${answer.resolved} ${answer.resolved === 1 ? "finding is" : "findings are"} gone` : "";
    if (!lines.length) lines.push(make("p", `The checks agree with this value${resolved ? `; ${resolved}` : ""}.`, "fine"));
    else if (resolved) lines.push(make("p", `${resolved}, but these are new.`));
    return output.replaceChildren(...lines);
  }

  function comment() {
    leave();
    const field = one.current();
    const form = make("form", "", "commenting");
    const label = make("label", "");
    const area = Object.assign(document.createElement("textarea"), { rows: 2, maxLength: 4000 });
    label.append(make("span", field ? `Comment on ${field.querySelector(".name").textContent}` : "Comment on the letter"), area);
    const row = make("div", "", "row");
    const save = make("button", "Save", "main");
    const off_ = Object.assign(make("button", "Leave"), { type: "button" });
    row.append(save, off_);
    form.append(label, row);
    (field ?? one.record).prepend(form);
    if (field) field.append(form);
    off_.addEventListener("click", leave);
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape") leave();
      else if (event.key === "Enter" && !event.shiftKey && event.target === area) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      change({ act: "comment", path: field?.dataset.path ?? "", note: area.value });
    });
    area.focus();
  }

  function step(by, wanted = () => true) {
    const all = one.fields();
    let at = all.indexOf(one.current());
    if (at < 0 && by < 0) at = all.length;
    for (at += by; at >= 0 && at < all.length; at += by) if (wanted(all[at])) return one.choose(all[at]);
    return announce(wanted.length ? "No further finding on a field." : "That is the last field.");
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
    document.getElementById("conflict").addEventListener("close", () => reload("Reloaded."));
    onKeys({
      j: () => step(1),
      k: () => step(-1),
      f: () => step(1, (each) => "flagged" in each.dataset),
      F: () => step(-1, (each) => "flagged" in each.dataset),
      n: () => (body.dataset.following ? location.assign(body.dataset.following) : announce("That is the last letter.")),
      p: () => (body.dataset.before ? location.assign(body.dataset.before) : announce("That is the first letter.")),
      a: () => click(".bar [data-act=accept]:not(:disabled)"),
      r: () => click(".bar [data-act=reject]"),
      s: () => click(".bar [data-act=skip]"),
      c: () => (document.querySelector("[data-fill]") ? click("[data-fill]") : correct(one.current())),
      e: evidence,
      m: comment,
      v: () => (one.pages ? pages.view(one.side.dataset.view === "pages" ? "text" : "pages") : announce("This letter has no page pictures.")),
      z: () => one.side.dataset.view === "pages" && pages.zoom(),
      u: undo,
      "/": () => location.assign(`${body.dataset.queue}#find`),
      "?": () => help.showModal(),
    });
    click(".summary .go");
  }

  if (page === "letter") letter();
  else if (page === "queue") queue();
  const message = sessionStorage.getItem("message");
  if (message) announce(message);
  sessionStorage.removeItem("message");
  body.dataset.ready = "";
})();

// Forms on the letter's page: a correction, a comment. What is typed stays until it is saved or left.
function leave() {
  const form = document.querySelector("form.correct, form.commenting");
  const stop = form?.closest(".field");
  form?.remove();
  if (stop) one.choose(stop, { look: false });
}

// Keys of a form: Escape leaves it, Enter saves it where Enter does not begin a line.
function formKeys(form, control, saves) {
  form.addEventListener("input", () => (form.dataset.changed = ""));
  form.querySelector("[data-leave]").addEventListener("click", leave);
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    else if (event.key === "Enter" && event.target === control && saves(event)) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

async function save(form, request) {
  const changed = form.dataset.changed;
  delete form.dataset.changed;
  if (!(await change(request)) && changed !== undefined) form.dataset.changed = changed;
}

async function correct(field) {
  if (!field) return announce("Choose a field first: j, or a click.", true);
  if (unsaved()) return go("");
  leave();
  one.choose(field, { focus: false });
  const answer = await ask(`${here()}/input?path=${encodeURIComponent(field.dataset.path)}`);
  if (!answer) return null;
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
    const answer = await post(`${here()}/try`, request());
    if (answer && mine === newest) judge(output, answer);
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
    form.dataset.changed = "";
    soon();
    control.focus();
    return null;
  });
  formKeys(form, control, (event) => event.ctrlKey || event.metaKey || !["texts", "json"].includes(control.dataset.kind));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(waiting);
    newest += 1;
    inTurn(() => save(form, { act: "correct", ...request() }));
  });
  // A value that is not stated starts as an empty, open field.
  if (none?.checked) none.checked = false;
  silence();
  control.focus();
  control.select?.();
  form.scrollIntoView({ block: "nearest" });
}

function findingLine(each) {
  const line = make("p", "", each.look);
  line.append(make("span", each.sign, "sign"), " ", make("span", `${each.blame}:`, "tag"), ` ${each.message}`);
  if (each.expected) line.append(`; ${each.side}: ${each.expected}`);
  if (each.field) line.append(" ", make("span", each.field, "path"));
  return line;
}

function judge(output, answer) {
  if (answer.error) return output.replaceChildren(make("p", answer.error, "bad"));
  if (answer.same) return output.replaceChildren(make("p", "The field has this value already."));
  const lines = answer.findings.map(findingLine);
  const resolved = answer.resolved ? `${answer.resolved} ${answer.resolved === 1 ? "finding is" : "findings are"} gone` : "";
  if (!lines.length) lines.push(make("p", `The checks agree with this value${resolved ? `; ${resolved}` : ""}.`, "fine"));
  else if (resolved) lines.push(make("p", `${resolved}, but these are new.`));
  return output.replaceChildren(...lines);
}

function comment() {
  if (unsaved()) return go("");
  leave();
  const field = one.current();
  const form = make("form", "", "commenting");
  const label = make("label", "");
  const area = Object.assign(document.createElement("textarea"), { rows: 2, maxLength: 4000 });
  label.append(make("span", field ? `Comment on ${nameOf(field)}` : "Comment on the letter"), area);
  const row = make("div", "", "row");
  const cancel = Object.assign(make("button", "Leave"), { type: "button" });
  cancel.dataset.leave = "";
  row.append(make("button", "Save", "main"), cancel);
  form.append(label, row);
  (field ?? one.record).prepend(form);
  if (field) field.append(form);
  formKeys(form, area, (event) => !event.shiftKey);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    inTurn(() => save(form, { act: "comment", path: field?.dataset.path ?? "", note: area.value }));
  });
  area.focus();
  return null;
}

// Answers from the list: a key or a click holds the answer for five seconds, in which it can be undone, and then sends
// it. Nothing is shown as done before the server said so; whoever was too late is told what happened instead.
const wait = 5_000;
const held = new Map();

const cards = () => [...document.querySelectorAll("article.ask")];
const current = () => document.activeElement?.closest("article.ask") ?? null;

const bar = (card, text, tone) => {
  let line = card.querySelector(".undo");
  if (!line) {
    line = Object.assign(document.createElement("p"), { className: "undo panel" });
    line.setAttribute("role", "status");
    card.append(line);
  }
  line.className = `undo panel ${tone ?? ""}`;
  line.replaceChildren(text);
  return line;
};

const forms = (card, shown) => {
  for (const form of card.querySelectorAll("form[data-answer]")) { form.hidden = !shown; }
};

const send = async (card, form, keep) => {
  const one = held.get(card.id);
  if (!one) {
    return;
  }
  clearTimeout(one.timer);
  held.delete(card.id);
  try {
    const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(one.fields), credentials: "same-origin", keepalive: keep === true });
    if (new URL(response.url).pathname === "/sign-in") {
      location.assign("/sign-in?then=/approvals");
      return;
    }
    if (response.ok) {
      bar(card, form.dataset.answer === "yes" ? "You said yes." : "You said no.", "good");
      setTimeout(() => { delete card.dataset.held; card.remove(); window.htmx?.trigger(document.body, "live-approvals"); }, 1_200);
      return;
    }
    const text = await response.text();
    const problem = response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text).detail : new DOMParser().parseFromString(text, "text/html").querySelector(".trouble")?.textContent;
    bar(card, `It did not count: ${problem ?? "the server refused it."}`, "trouble");
  } catch {
    bar(card, "It was not sent: the server does not answer. Try again.", "trouble");
  }
  delete card.dataset.held;
  forms(card, true);
};

const hold = (card, form) => {
  if (held.has(card.id)) {
    return;
  }
  const said = form.dataset.answer === "yes" ? "Yes" : "No";
  const line = bar(card, `${said}, sent in five seconds, or when you leave this page. `);
  const undo = Object.assign(document.createElement("button"), { type: "button", className: "btn small", textContent: "Undo" });
  undo.dataset.undo = "";
  line.append(undo);
  undo.addEventListener("click", () => release(card));
  forms(card, false);
  card.dataset.held = "yes";
  held.set(card.id, { form, fields: [...new FormData(form)].map(([name, value]) => [name, String(value)]), timer: setTimeout(() => send(card, form), wait) });
  const next = cards()[cards().indexOf(card) + 1];
  (next ?? undo).focus();
};

const release = (card) => {
  const one = held.get(card.id);
  if (one) {
    clearTimeout(one.timer);
    held.delete(card.id);
    delete card.dataset.held;
    card.querySelector(".undo")?.remove();
    forms(card, true);
    card.focus();
  }
};

const ready = () => {
  for (const one of document.querySelectorAll(".script")) { one.hidden = false; }
  count();
};
const count = () => {
  const button = document.querySelector("[data-several]");
  if (button) { button.disabled = !document.querySelector("[data-take]:checked"); }
};

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-answer]");
  if (form) {
    event.preventDefault();
    hold(form.closest("article.ask"), form);
  }
});
document.addEventListener("change", count);
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-several]")) {
    for (const box of document.querySelectorAll("[data-take]:checked")) {
      box.checked = false;
      hold(box.closest("article.ask"), box.form);
    }
    count();
  }
});
window.addEventListener("pagehide", () => {
  for (const [id, one] of held) { send(document.getElementById(id), one.form, true); }
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) {
    return;
  }
  const all = cards();
  const card = current();
  const at = all.indexOf(card);
  if (event.key === "j" || event.key === "k") {
    (event.key === "j" ? all[at + 1] : all[Math.max(0, at - 1)])?.focus();
  } else if (card && event.key === "a") {
    card.querySelector("form[data-answer=yes]")?.requestSubmit();
  } else if (card && event.key === "d") {
    event.preventDefault();
    card.querySelector("form[data-answer=no] input[name=comment]")?.focus();
  } else if (card && event.key === "x") {
    const box = card.querySelector("[data-take]");
    if (box) { box.checked = !box.checked; count(); }
  } else if (event.key === "u") {
    const last = [...held.keys()].pop();
    if (last) { release(document.getElementById(last)); }
  }
});

document.body.addEventListener("htmx:afterSettle", ready);
ready();

// The moving parts of a page: rings that run down, buttons that copy, keys that lead somewhere, and what a person opened stays open.
const skew = Date.parse(document.body.dataset.now) - Date.now();
const now = () => Date.now() + skew;

const left = (ms) => {
  const s = Math.max(0, Math.ceil(ms / 1000));
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h >= 1 ? `${h} h ${m} min` : `${m}:${String(s % 60).padStart(2, "0")}`;
};

const run = () => {
  for (const ring of document.querySelectorAll("[data-ends]")) {
    const [from, to] = [Date.parse(ring.dataset.begins), Date.parse(ring.dataset.ends)];
    const rest = to - now();
    ring.querySelector("[data-left]").textContent = rest > 0 ? left(rest) : "over";
    ring.querySelector("[data-run]")?.setAttribute("stroke-dashoffset", String(100 - Math.max(0, Math.min(100, (100 * rest) / (to - from)))));
    ring.classList.toggle("soon", rest < 5 * 60_000);
  }
};
run();
setInterval(run, 1_000);
document.body.addEventListener("htmx:afterSettle", run);

document.addEventListener("click", async (event) => {
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    const text = document.getElementById(copy.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(document.getElementById(copy.dataset.copy));
      copy.textContent = "Selected: copy it";
    }
  }
});

// Keys: g and a place's letter; / to search. Never while somebody types, and never together with another key.
let led = false;
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) {
    return;
  }
  if (event.key === "/") {
    const search = document.querySelector("input[type=search]");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  } else if (led) {
    led = false;
    document.querySelector(`nav a[data-key="${CSS.escape(event.key)}"]`)?.click();
  } else if (event.key === "g") {
    led = true;
    setTimeout(() => { led = false; }, 1_500);
  }
});

// What is asked for anew is laid over what is there: what a person opened, or is typing, stays.
if (window.Idiomorph) {
  window.Idiomorph.defaults.ignoreActiveValue = true;
  window.Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, node) => !(name === "open" && /^(DETAILS|DIALOG)$/.test(node.tagName)) && !(name === "value" && node === document.activeElement);

  // What is about to be answered is not taken from under the hand.
  window.Idiomorph.defaults.callbacks.beforeNodeMorphed = (node) => !node.dataset?.held;
  window.Idiomorph.defaults.callbacks.beforeNodeRemoved = (node) => !node.dataset?.held;
}

// A form that is sent once is not sent twice by a second click.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.once !== undefined && !event.defaultPrevented) {
    for (const button of event.target.querySelectorAll("button[type=submit]")) { button.disabled = true; }
  }
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form[data-once] button[type=submit]")) { button.disabled = false; }
});

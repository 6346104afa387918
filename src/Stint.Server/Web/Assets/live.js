// Hears from the server that something of this page changed, and has those parts asked for anew that show it. When
// nothing is heard any more the page says so, goes on trying, and catches up: what changed meanwhile differs then.
const place = document.body.dataset.live;
const deaf = 40_000, again = 3_000;
let marks = JSON.parse(document.body.dataset.marks || "{}");
let source, heard = Date.now(), since = null, timer = null;

const news = document.getElementById("news");
const say = (text, link) => {
  news.replaceChildren(text, ...(link ? [" ", Object.assign(document.createElement("a"), { href: location.href, textContent: link })] : []));
  news.hidden = text === "";
};

const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const lost = () => {
  since ??= heard;
  document.documentElement.dataset.live = "no";
  say(`This page is not live: nothing was heard of the server since ${clock.format(since)}. It shows how it was then, and catches up by itself.`);
};

const take = (event) => {
  heard = Date.now();
  const now = JSON.parse(event.data);
  if (marks.stint && now.stint !== marks.stint) {
    say("The server runs another version by now.", "Load the page again");
    marks.stint = now.stint;
  } else if (since !== null) {
    say("");
  }
  since = null;
  document.documentElement.dataset.live = "yes";
  for (const name of Object.keys(now)) {
    if (now[name] !== marks[name] && name !== "stint") {
      window.htmx?.trigger(document.body, `live-${name}`);
    }
  }
  marks = now;
};

const close = () => {
  clearTimeout(timer);
  source?.close();
  source = undefined;
};

const open = () => {
  close();
  source = new EventSource(place);
  source.addEventListener("marks", take);
  source.onerror = () => {
    lost();
    close();
    timer = setTimeout(open, again);
  };
};

// A page that nobody looks at listens to nothing: an old browser has few lines to one server for all of its pages.
const look = () => {
  if (document.hidden) {
    close();
  } else if (!source) {
    heard = Date.now();
    open();
  }
};

if (place && window.EventSource) {
  look();
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => { if (event.persisted) { location.reload(); } });
  setInterval(() => {
    if (source && Date.now() - heard > deaf) {
      lost();
      open();
    }
  }, 5_000);
}

// What was asked for and did not come is said; where one is not signed in any more, one is led to where one does.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (new URL(event.detail.xhr.responseURL || location.href).pathname === "/sign-in") {
    event.detail.shouldSwap = false;
    location.assign(`/sign-in?then=${encodeURIComponent(location.pathname + location.search)}`);
  }
});
document.body.addEventListener("htmx:responseError", (event) => {
  let detail = "";
  try { const problem = JSON.parse(event.detail.xhr.responseText); detail = ` ${problem.detail ?? problem.title} ${problem.remedy ?? ""}`; } catch { /* It said nothing that we read. */ }
  say(`That did not come through.${detail}`, "Load the page again");
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.body.addEventListener(name, lost);
}

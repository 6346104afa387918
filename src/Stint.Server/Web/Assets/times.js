// Shows every time in the reader's own zone, and the exact one on hover; without this script it stands there in UTC.
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const short = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const exact = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "long" });

const show = (root) => {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    time.title = `${exact.format(at)} (${time.dateTime})`;
    time.textContent = (time.dataset.short !== undefined && today ? short : whole).format(at);
  }
  for (const zone of root.querySelectorAll("[data-zone]")) {
    zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
  }
  for (const input of root.querySelectorAll("input[data-utc]")) {
    // A field for a day and a time holds the reader's; what is sent beside it says how far from UTC that is.
    const field = input.form?.elements.namedItem(input.dataset.utc);
    const tell = () => { field.value = input.value ? new Date(input.value).toISOString() : ""; };
    if (field && !input.dataset.told) {
      input.dataset.told = "yes";
      input.addEventListener("input", tell);
      tell();
    }
  }
};

show(document);
document.body.addEventListener("htmx:afterSettle", () => show(document));

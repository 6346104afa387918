// Shows every time in the reader's own zone; without this script it stands there in UTC.
const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  time.title = time.dateTime;
  time.textContent = shown.format(new Date(time.dateTime));
}

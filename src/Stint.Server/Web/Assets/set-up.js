// The code leaves the address bar before anything else is done, and goes where no log is: into the form.
const code = location.hash.slice(1);
if (code) {
  history.replaceState(null, "", location.pathname);
  const form = document.getElementById("open");
  form.elements.code.value = code;
  form.submit();
}

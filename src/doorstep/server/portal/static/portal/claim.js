// Takes what a scanned label or a device's page put behind # into the form, and out of the address.
// It never travels in an address: a log-in in between finds it in this tab's own store again.

const KEPT = "doorstep-scanned";
const scanned = decodeURIComponent(location.hash.slice(1));
const activate = document.getElementById("activate");

function fill(id, text) {
  const field = document.getElementById(id);
  if (field && text && !field.value) field.value = text;
}

if (scanned) {
  sessionStorage.setItem(KEPT + location.pathname, scanned);
  history.replaceState(null, "", location.pathname + location.search);
}
const kept = sessionStorage.getItem(KEPT + location.pathname) ?? "";

if (activate) {
  fill("id_user_code", kept);
  activate.addEventListener("submit", () => sessionStorage.removeItem(KEPT + location.pathname));
} else if (kept) {
  const [serial, code] = kept.split("~");
  fill("id_serial", serial);
  fill("id_code", code);
  const told = document.getElementById("scanned");
  if (told) {
    document.getElementById("scanned-serial").textContent = serial;
    told.hidden = false;
  }
  const form = document.getElementById("claim");
  form?.addEventListener("submit", () => sessionStorage.removeItem(KEPT + location.pathname));
}

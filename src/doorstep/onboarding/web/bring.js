// The board's page for what the portal sealed: it comes in the address behind the #, or somebody pastes it.
// The text is encrypted for this one device, so any air may carry it.

const POLL_MS = 1000;
const PATIENCE_MS = 120_000;
const UNDECIDED = ["waiting", "trying", "registering"];
const FAILED = ["wrong-password", "no-such-network", "no-address", "radio-failed", "refused", "not-taken", "lost"];
const FAILURE_OF = { 400: "bring-bad", 403: "bring-refused", 409: "bring-stale" };
const IN_ADDRESS = "#sealed=";

const form = document.getElementById("bring-form");
const text = document.getElementById("sealed");
const status = document.getElementById("say");

/** @param {string} key @param {boolean} [bad] */
function say(key, bad = false) {
  const found = document.querySelector(`#words [data-key="${key}"]`) ?? document.querySelector('#words [data-key="lost"]');
  status.className = bad ? "bad" : "note";
  status.hidden = false;
  if (status.textContent !== found.textContent) status.textContent = found.textContent;
}

/** @param {string} body @returns {Promise<string>} the device's stage, or the key of what went wrong */
async function ask(body) {
  try {
    const answer = await fetch("/sealed", { method: "POST", body, headers: { "Content-Type": "text/plain" } });
    return answer.ok ? (await answer.json()).stage : FAILURE_OF[answer.status] ?? "not-taken";
  } catch {
    return "lost";
  }
}

/** Ask until the device knows; silence is no failure, because its radio leaves this air to join the other. */
async function follow(step) {
  const until = Date.now() + PATIENCE_MS;
  let last = step;
  while (UNDECIDED.includes(last) && Date.now() < until) {
    say(last);
    await new Promise((resolve) => { setTimeout(resolve, POLL_MS); });
    const heard = await ask("?");
    if (heard === "lost") say("checking");
    else last = heard;
  }
  return UNDECIDED.includes(last) ? "checking" : last;
}

async function bring() {
  const step = await follow(await ask(text.value.trim()));
  say(step, FAILED.includes(step) || Object.values(FAILURE_OF).includes(step));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  await bring();
  button.disabled = false;
});

form.hidden = false;
if (location.hash.startsWith(IN_ADDRESS)) {
  text.value = location.hash.slice(IN_ADDRESS.length);
  history.replaceState(null, "", location.pathname + location.search);
  form.requestSubmit();
}

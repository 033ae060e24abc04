// Keeps the list of commands moving: states and answers change in place, and the change is spoken.

const spoken = document.getElementById("command-state");

function badge(command) {
  const element = document.createElement("span");
  element.className = `badge ${command.tone}`.trim();
  element.textContent = command.word;
  return element;
}

export function showCommands(commands) {
  for (const command of commands) {
    const row = document.querySelector(`[data-command="${command.id}"]`);
    const state = row?.querySelector("[data-state]");
    if (!state || state.textContent.trim() === command.word) continue;
    state.replaceChildren(badge(command));
    row.querySelector("[data-detail]").textContent = command.detail;
    if (!command.open) row.querySelector("[data-cancel]")?.replaceChildren();
    spoken.textContent = `${row.querySelector("th").textContent}: ${command.word}.`;
  }
}

// Small conveniences on every page. Each page reads and works without them.

import { said } from "./words.js";

const NAMES = { system: "as the system", light: "light", dark: "dark" };

function themeSwitch(button) {
  const root = document.documentElement;
  const name = button.querySelector("[data-theme-name]");
  const show = () => { name.textContent = said("Colours: {}", said(NAMES[root.dataset.theme ?? "system"])); button.title = name.textContent; };
  button.addEventListener("click", () => {
    const next = { system: "light", light: "dark", dark: "system" }[root.dataset.theme ?? "system"];
    if (next === "system") delete root.dataset.theme;
    else root.dataset.theme = next;
    try { localStorage.setItem("doorstep-theme", next); } catch { /* then the choice lasts for this page */ }
    show();
  });
  show();
}

function copyButton(button) {
  const label = button.querySelector("[data-copy-label]");
  const before = [...label.childNodes];
  button.addEventListener("click", async () => {
    const text = document.getElementById(button.dataset.copy).textContent;
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = said("Copied");
    } catch {
      getSelection().selectAllChildren(document.getElementById(button.dataset.copy));
      label.textContent = said("Selected: copy it with the keyboard");
    }
    setTimeout(() => label.replaceChildren(...before), 3000);
  });
}

function closeMenu(menu) {
  const close = () => { menu.open = false; };
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    close();
    menu.querySelector("summary").focus();
  });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close();
  });
  document.addEventListener("click", (event) => { if (!menu.contains(event.target)) close(); });
}

const LANGUAGE = document.documentElement.lang;
const ZONED = new Intl.DateTimeFormat(LANGUAGE === "en" ? undefined : LANGUAGE, { dateStyle: "medium", timeStyle: "medium" });

export function localTime(element) {
  const text = ZONED.format(new Date(element.dateTime));
  if (element.title) element.title = text;
  else element.textContent = text;
}

const AXES = {
  hour: { hour: "2-digit", minute: "2-digit" },
  day: { hour: "2-digit", minute: "2-digit" },
  week: { weekday: "short", day: "numeric" },
  month: { day: "numeric", month: "short" },
  year: { month: "short", year: "numeric" },
};

export function localTimes(parent) {
  parent.querySelectorAll("time[datetime]").forEach((element) => {
    const axis = AXES[element.dataset.axis];
    if (axis) element.textContent = new Intl.DateTimeFormat(LANGUAGE === "en" ? undefined : LANGUAGE, axis).format(new Date(element.dateTime));
    else localTime(element);
  });
}

document.querySelectorAll("[data-theme-switch]").forEach(themeSwitch);
document.querySelectorAll("[data-copy]").forEach(copyButton);
document.querySelectorAll(".phone-menu, .account-menu").forEach(closeMenu);
localTimes(document);
document.querySelector("[data-focus]")?.focus();

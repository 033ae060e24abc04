// What people see and hear of a set-up: sentences from one table, one live region, errors that take the focus.

import { SetupFailure } from "../../onboarding/failures.js";
import { said } from "./words.js";

/** @param {string} id @returns {HTMLElement} */
export const at = (id) => document.getElementById(id);

/** What the server told this page: words, addresses. */
export const told = JSON.parse(at("told").textContent);

/** A problem with words of its own, as the platform answers. */
export class ToldProblem extends Error {
  /** @param {string} sentence @param {string} nextStep @param {string} [field] id of the input that it concerns */
  constructor(sentence, nextStep, field = "") {
    super(sentence);
    this.words = { sentence, next_step: nextStep };
    this.field = field;
    /** Of its words, where they are not in the page's. */
    this.language = "";
  }
}

let last = "";

/** Put a text into an element, and say which language it is where it is not the page's. */
function write(element, text, language = "") {
  element.textContent = text;
  if (language) element.lang = language;
  else element.removeAttribute("lang");
}

function log(sentence, language = "") {
  const entry = document.createElement("li");
  const text = document.createElement("div");
  write(text, sentence, language);
  entry.append(text);
  at("log").append(entry);
}

/** Say a sentence, unless it is what was said last. @param {string} sentence @param {string} [nextStep] */
export function sayWords(sentence, nextStep = "") {
  const whole = `${sentence} ${nextStep}`.trim();
  at("progress").hidden = false;
  at("problem").hidden = true;
  if (whole === last) return;
  last = whole;
  at("status").textContent = whole;
  log(whole);
}

/** Say a step by its key. @param {string} key */
export function say(key) {
  const words = told.steps[key];
  sayWords(words.sentence, words.next_step);
}

function wordsOf(error) {
  if (error instanceof ToldProblem) return error.words;
  if (error instanceof SetupFailure) {
    const words = told.failures[error.key];
    return error.wait ? { ...words, next_step: said("Wait {} seconds and try again.", error.wait) } : words;
  }
  console.error(error);
  return { sentence: said("This page failed."), next_step: said("Reload it and try again. Nothing was lost on the device.") };
}

/** Show an error where it belongs and take the focus there. @param {unknown} error @param {string} [field] id of an input */
export function showProblem(error, field = error.field ?? "") {
  const words = wordsOf(error);
  const whole = `${words.sentence} ${words.next_step}`.trim();
  last = "";
  at("status").textContent = "";
  log(whole, error.language);
  at("progress").hidden = Boolean(field);
  if (field) {
    markField(field, whole, error.language);
    return;
  }
  write(at("problem-text"), words.sentence, error.language);
  write(at("problem-step"), words.next_step, error.language);
  at("problem").hidden = false;
  at("problem").focus();
}

function markField(id, text, language) {
  const [input, error] = [at(id), at(`${id}-error`)];
  write(error, text, language);
  error.hidden = false;
  input.setAttribute("aria-invalid", "true");
  const describedBy = new Set((input.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  input.setAttribute("aria-describedby", [...describedBy.add(error.id)].join(" "));
  input.closest("details")?.setAttribute("open", "");
  input.focus();
}

/** Forget the errors of a form and of the run. @param {HTMLFormElement} form */
export function clearProblems(form) {
  at("problem").hidden = true;
  for (const error of form.querySelectorAll(".field-error")) error.hidden = true;
  for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
}

/** Require a value; throws what names the field. @param {string} id @param {string} sentence @returns {string} */
export function required(id, sentence) {
  const value = at(id).value;
  if (!value.trim()) throw new ToldProblem(sentence, "", id);
  return value;
}

/** Whether a form's work is under way. @param {string} id @returns {boolean} */
export const isBusy = (id) => "busy" in at(id).dataset;

/**
 * Run a form's work, one at a time; its errors are shown.
 * @param {string} id @param {() => Promise<void>} work
 */
export function onSubmit(id, work) {
  const form = at(id);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (isBusy(id)) return;
    clearProblems(form);
    form.dataset.busy = "yes";
    try {
      await work();
    } catch (error) {
      showProblem(error);
    } finally {
      delete form.dataset.busy;
    }
  });
}

/** Show the end: the platform has judged. @param {{text: string, url: string}} answer */
export function finish({ text, url }) {
  sayWords(text);
  for (const id of ["ways", "joining", "sealed"]) at(id).hidden = true;
  at("open-device").href = url;
  at("open-device").hidden = !url;
  at("end-row").hidden = false;
  (url ? at("open-device") : at("another")).focus();
}

// Why the platform refuses, by the type of its problem document: those that people meet here, in the page's language.

import { said } from "./words.js";

/** Sentence and next step. @type {Record<string, [string, string]>} */
export const REFUSALS = {
  "not-found": [said("There is no device of that serial here."), said("Compare it with the label, and check for which organisation you act.")],
  "code-refused": [said("This code doesn’t open a device."), said("Compare it with the label. If somebody scratched it before you, ask the seller.")],
  "not-genuine": [
    said("What answered is no device of ours, or somebody changed its answer."),
    said("Do not give it your Wi-Fi password. Look whether the device in front of you is the one that is waiting, and ask the maker."),
  ],
  "other-conversation": [
    said("A genuine device answered, but in another conversation than this one: somebody is in between."),
    said("Do not go on. Move away from other devices, press the button again and start over."),
  ],
  "challenge-refused": [said("This check took too long, or was begun by another account."), said("Start it again.")],
};

// Codes and serials as people say them to a phone that writes down what it hears: letter by letter, in the words of
// the international spelling alphabet, with digits as words and a full stop behind.

const ALPHABET = "alfa bravo charlie delta echo foxtrot golf hotel india juliett kilo lima mike november oscar papa quebec romeo "
  + "sierra tango uniform victor whiskey xray yankee zulu";
const DIGITS = [
  "zero one two three four five six seven eight nine",
  "null eins zwei drei vier fünf sechs sieben acht neun",
  "zéro un deux trois quatre cinq six sept huit neuf",
];
const MEANT = new Map([
  ...ALPHABET.split(" ").map((word) => /** @type {const} */ ([word, word[0]])),
  ...DIGITS.flatMap((words) => words.split(" ").map((word, digit) => /** @type {const} */ ([word, String(digit)]))),
  ["alpha", "a"], ["juliet", "j"], ["whisky", "w"], ["x-ray", "x"],
  ["dash", "-"], ["hyphen", "-"], ["minus", "-"], ["bindestrich", "-"], ["tiret", "-"],
]);

/** @param {string} text @returns {string[]} */
function words(text) {
  return text.trim().split(/\s+/u).map((word) => word.replace(/[.,;!?]+$/u, "")).filter(Boolean);
}

/** @param {string} word @returns {string} */
const meant = (word) => MEANT.get(word.toLowerCase()) ?? word;

/** What has no blanks when it is written, as a serial. @param {string} text @returns {string} */
export function spokenSerial(text) {
  return words(text).map(meant).join("");
}

/** What may be written in groups: one that happens to be a word is left as it is. @param {string} text @returns {string} */
export function spokenCode(text) {
  const said = words(text);
  const isSpelt = said.length > 1 && said.every((word) => MEANT.has(word.toLowerCase()) || /^(?:\p{L}|\d+)$/u.test(word));
  return (isSpelt ? said.map(meant) : said).join("");
}

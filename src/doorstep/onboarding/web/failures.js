// Why a set-up ended: a key that a page turns into a sentence of its own language.

/**
 * @typedef {"wrong-code"|"downgrade"|"old-security"|"malformed"|"forged"|"refused"|"no-session"|"bad-label"|
 *   "bad-network"|"lost"|"too-many-guesses"|"not-a-device"|"not-chosen"|"too-long"} FailureKey
 */

/** Everything that these modules throw on purpose; `detail` is for developers, never a secret. */
export class SetupFailure extends Error {
  /** @param {FailureKey} key @param {string} [detail] @param {number} [wait] seconds until a try counts again */
  constructor(key, detail = "", wait = 0) {
    super(detail ? `${key}: ${detail}` : key);
    this.name = "SetupFailure";
    this.key = key;
    this.wait = wait;
  }
}

/** The other side sent what it must not. @param {string} detail @returns {SetupFailure} */
export function malformed(detail) {
  return new SetupFailure("malformed", detail);
}

/** A set-up problem told to a person: what failed, why, and what to do about it. */
export class SetupFailure extends Error {
  constructor(message, { remedy, tail = [], log } = {}) {
    super(message);
    this.name = 'SetupFailure';
    this.remedy = remedy;
    /** The last lines of the command's output. */
    this.tail = tail;
    /** File with the whole output. */
    this.log = log;
  }
}

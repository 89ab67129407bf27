// Counts what reached a server's handlers, by the number of each request: nothing is dropped or done twice unseen.

const MOST_REQUESTS = 2 ** 24;

/** Milliseconds of a clock that all processes of a machine share. */
export const sharedNow = () => Number(process.hrtime.bigint()) / 1e6;

export class Handled {
  #seen = new Uint8Array(MOST_REQUESTS);
  #handled = 0;
  #repeated = 0;
  #keywords = 0;
  #times = [];

  /** @param id - ends in the eight digits of the request's number */
  add(id) {
    const n = Number(id.slice(-8));
    if (this.#seen[n] === 1) this.#repeated++;
    this.#seen[n] = 1;
    this.#handled++;
  }

  /** The same, and when it was. */
  addTimed(id) {
    this.#times.push([Number(id.slice(-8)), sharedNow()]);
    this.add(id);
  }

  takeTimes() {
    return this.#times.splice(0);
  }

  /** A request that the server answers without having looked for its id. */
  addUnread() {
    this.#handled++;
  }

  /** A keyword was recognised; in the place of what an application does then. */
  keyword() {
    this.#keywords++;
  }

  get report() {
    return { handled: this.#handled, repeated: this.#repeated, keywords: this.#keywords };
  }
}

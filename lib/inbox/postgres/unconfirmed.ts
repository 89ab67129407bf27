// Ends connections of the server that wait for a standby longer than this process waits. The server does not notice
// that their clients have gone: while no standby confirms, they would use up its connections.

import type { Requests } from "./requests.js";
import { END_UNCONFIRMED, tablesOf } from "./sql.js";

export class Unconfirmed {
  readonly #requests: Requests;
  readonly #schema: string;
  readonly #limitMs: number;
  #ending: Promise<void> | undefined;

  /**
   * @param limitMs - after how many milliseconds this process waits for no statement any more. One with a longer lease
   * may still wait: its statement then fails early, as with a lost connection
   */
  constructor(requests: Requests, schema: string, limitMs: number) {
    this.#requests = requests;
    this.#schema = schema;
    this.#limitMs = limitMs;
  }

  /** Ends them, one request at a time. What they wrote is kept by this server, as after a crash. */
  end(): void {
    this.#ending ??= this.#end().finally(() => (this.#ending = undefined));
  }

  async close(): Promise<void> {
    await this.#ending;
  }

  async #end(): Promise<void> {
    // If it fails, it is tried again when the next statement is late.
    await this.#requests.rows(END_UNCONFIRMED, [this.#limitMs, tablesOf(this.#schema)]).catch(() => undefined);
  }
}

// Ends connections of the server that wait for a standby and for which nobody waits any more. The server does not notice
// that their clients have gone: while no standby confirms, they would use up its connections.

import type { Requests } from "./requests.js";
import { END_UNCONFIRMED, tablesOf } from "./sql.js";

export class Unconfirmed {
  readonly #requests: Requests;
  readonly #schema: string;
  readonly #limitMs: number;
  #ending: Promise<void> | undefined;

  /** @param limitMs - after how many milliseconds nobody waits for a statement any more */
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

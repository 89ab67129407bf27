// Erases the texts of handled messages: those that end at the same time go together.

import type { Redis as Client } from "ioredis";

import type { Entry } from "./job.js";
import { replaceData } from "./scripts.js";

export class Eraser {
  readonly #client: Client;
  readonly #toKey: (id: string) => string;
  #keys: string[] = [];
  #data: string[] = [];
  #sending: Promise<void> | undefined;

  /** @param toKey - that of a job in Redis, by its id */
  constructor(client: Client, toKey: (id: string) => string) {
    this.#client = client;
    this.#toKey = toKey;
  }

  /**
   * Resolves when Redis is told: what it is told after that, it does after that. Where it refuses, as when it is full, the text is kept for as long
   * as the key.
   *
   * @param id - of the job
   * @param data - what stays
   */
  erase(id: string, data: Entry): Promise<void> {
    this.#keys.push(this.#toKey(id));
    this.#data.push(JSON.stringify(data));
    return (this.#sending ??= new Promise((resolve) => {
      // When all that Redis has answered together is heard.
      process.nextTick(() => {
        this.#send();
        resolve();
      });
    }));
  }

  #send(): void {
    const [keys, data] = [this.#keys, this.#data];
    [this.#keys, this.#data, this.#sending] = [[], [], undefined];
    replaceData(this.#client, keys, data).catch(() => undefined);
  }
}

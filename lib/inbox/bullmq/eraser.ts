// Erases the texts of handled messages: those that end in one turn of the event loop go together.

import type { Redis as Client } from "ioredis";

import type { Entry } from "./job.js";
import { replaceData } from "./scripts.js";

export class Eraser {
  readonly #client: Client;
  readonly #toKey: (id: string) => string;
  #keys: string[] = [];
  #data: string[] = [];
  #erasing: Promise<void> | undefined;

  /** @param toKey - that of a job in Redis, by its id */
  constructor(client: Client, toKey: (id: string) => string) {
    this.#client = client;
    this.#toKey = toKey;
  }

  /**
   * Resolves when it is done. Rejects where Redis refuses it.
   *
   * @param id - of the job
   * @param data - what stays
   */
  erase(id: string, data: Entry): Promise<void> {
    this.#keys.push(this.#toKey(id));
    this.#data.push(JSON.stringify(data));
    return (this.#erasing ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        this.#send().then(resolve, reject);
      });
    }));
  }

  #send(): Promise<void> {
    const [keys, data] = [this.#keys, this.#data];
    [this.#keys, this.#data, this.#erasing] = [[], [], undefined];
    return replaceData(this.#client, keys, data);
  }
}

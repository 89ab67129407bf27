// Where a measured inbox keeps its messages: a new file, queue or schema each time, on a disk as slow as asked for.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startPostgres, startRedis, stopDatabases } from "./databases.mjs";
import { buildSlowDisk } from "./slow-disk.mjs";

export class Places {
  #pinned;
  #folder = mkdtempSync(join(tmpdir(), "bench-"));
  #slowDisk;
  #servers = new Map();
  #made = 0;

  /** @param pinned - what keeps a database on its core, from `chooseCores` */
  constructor(pinned) {
    this.#pinned = pinned;
    this.#slowDisk = buildSlowDisk(this.#folder);
  }

  /**
   * `{ missing }`: why there is no such place here.
   *
   * @param inbox - one of inboxes.mjs
   * @param fsyncMs - how much slower than the disk
   * @returns `place`, for `openInbox`, and `env`, for its process
   */
  async make(inbox, fsyncMs = 0) {
    if (fsyncMs > 0 && this.#slowDisk.missing !== undefined) return this.#slowDisk;
    const env = fsyncMs === 0 ? {} : this.#slowDisk.env(fsyncMs);
    const name = `bench_${this.#made++}`;
    if (inbox === "none") return { place: {}, env: {} };
    if (inbox.startsWith("sqlite")) return { place: { file: join(this.#folder, `${name}.db`) }, env };
    const [start, missing] =
      inbox === "bullmq"
        ? [startRedis, "redis-server is not installed here"]
        : [startPostgres, "PostgreSQL is not installed here"];
    const key = `${start.name} ${fsyncMs}`;
    if (!this.#servers.has(key)) this.#servers.set(key, start(this.#folder, this.#pinned, env));
    const server = await this.#servers.get(key);
    return server === undefined ? { missing } : { place: { ...server, name }, env: {} };
  }

  async remove() {
    await stopDatabases();
    rmSync(this.#folder, { recursive: true });
  }
}

// What a reader has to know of the machine, and of what runs on it.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem, type } from "node:os";

import { postgresProgram } from "./databases.mjs";

export function describeMachine() {
  return {
    cpu: cpus()[0].model.trim(),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    redis: firstVersion("redis-server"),
    postgres: firstVersion(postgresProgram("postgres")),
  };
}

/** The version of an installed package. */
export function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`node_modules/${name}/package.json`, import.meta.url), "utf8")).version;
}

function firstVersion(program) {
  const { stdout } = program === undefined ? {} : spawnSync(program, ["--version"], { encoding: "utf8" });
  return /\d+(?:\.\d+)+/.exec(stdout ?? "")?.[0];
}

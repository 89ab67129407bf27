// Runs the verbs of `profile` against a stand-in of the provider's API, and looks for secrets in all that they leave.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect } from "@jest/globals";
import { temporaryFolder } from "../inbox/temporary";
import { command, type Ran } from "./command";
import { CANARIES, PAGE_BODY, providerApi, SID, type ProviderStandIn, type StoredProfile } from "./provider-api";

export const ENV = { KALEYRA_SID: SID, KALEYRA_API_KEY: CANARIES.key, CALLBACK_TOKEN: CANARIES.header };
export const URL = "https://your.domain/sms";
/** The code's side: what the stand-in's profiles hold when they are added. */
export const CODE = ["--url", URL, "--header", "X-Callback-Token=env:CALLBACK_TOKEN"];

/** A new one for each file of specs, and empty before each spec. */
export let api: ProviderStandIn;
beforeAll(async () => {
  api = await providerApi();
});
beforeEach(() => {
  api.profiles.length = 0;
  api.requests.length = 0;
  api.instead = undefined;
});
afterAll(() => api.close());

/** Runs a verb of `profile`, and looks for secrets in all that it leaves behind. */
export async function profile(args: readonly string[], env: Readonly<Record<string, string>> = ENV): Promise<Ran> {
  const cwd = temporaryFolder();
  const ran = await command(["profile", ...args], { env, cwd });
  const left = readdirSync(cwd).map((name) => readFileSync(join(cwd, name), "utf8"));
  for (const canary of Object.values(CANARIES))
    expect([ran.stdout, ran.stderr, ...left].join("\n")).not.toContain(canary);
  expect(left).toEqual([]);
  return ran;
}

export const at = (): string[] => ["--api", api.url];
export const verify = (held: StoredProfile, ...args: string[]): Promise<Ran> =>
  profile(["verify", "--id", held.profile_id, ...at(), ...(args.length > 0 ? args : CODE)]);
export const push = (held: StoredProfile, ...args: string[]): Promise<Ran> =>
  profile(["push", "--id", held.profile_id, ...at(), ...args]);
export const changes = (): unknown[] =>
  api.requests.filter(({ line }) => !line.startsWith("GET ")).map(({ line, content }) => [line.split(" ")[0], content]);
export const bodyWith = (change: (members: Record<string, string>) => void): string => {
  const members = JSON.parse(PAGE_BODY) as Record<string, string>;
  change(members);
  return JSON.stringify(members);
};

// Which account and which profile of the provider's API a verb means: --region or --api, --id or --title, and the
// environment.

import { wrongUse } from "../failure.js";
import { isLoopback } from "../target.js";

const REGIONS: Readonly<Record<string, string>> = {
  in: "https://api.in.kaleyra.io",
  sg: "https://api.kaleyra.io",
  eu: "https://api.eu.kaleyra.io",
  na: "https://api.na.kaleyra.ai",
};

/** Letters, digits, underscores and hyphens, as in `SG_` and a UUID: an id is a part of a path. */
const ID = /^[A-Za-z\d][\w-]{0,99}$/;

export function isId(id: string): boolean {
  return ID.test(id);
}

export const PROVIDER_OPTIONS = {
  id: { value: "ID", help: "The Callback Profile ID, as the console shows it." },
  title: { value: "TITLE", help: "The title of the Callback Profile, in place of --id." },
  region: { value: "REGION", help: "in, sg, eu or na: where your account is." },
  api: { value: "URL", help: "Another address of the provider's API, in place of --region." },
} as const;

/** For the notes of each verb that calls the API. */
export const CREDENTIALS_NOTE =
  "The account comes from the environment: KALEYRA_SID and KALEYRA_API_KEY. " +
  "Values of headers and keys of the encryption are never printed.";

/** @throws Failure unless exactly one of --id and --title is given, and an id can be one */
export function assertWhich({ id, title }: Readonly<Record<"id" | "title", string | undefined>>): void {
  if ((id === undefined) === (title === undefined))
    throw wrongUse(
      "The provider's side of the profile is given by either --id or --title.",
      "The console shows both under Callback Profiles.",
    );
  if (id !== undefined && !isId(id))
    throw wrongUse(
      "--id takes letters, digits, underscores and hyphens, at most 100.",
      "Copy the Callback Profile ID from the console: it looks like SG_ and a UUID.",
    );
}

/** @returns the address of the API, without a slash at its end */
export function addressOf(region: string | undefined, api: string | undefined): string {
  if ((region === undefined) === (api === undefined))
    throw wrongUse("The API is given by either --region or --api.", "For instance --region in.");
  if (region !== undefined) {
    const address = Object.hasOwn(REGIONS, region) ? REGIONS[region] : undefined;
    if (address !== undefined) return address;
    throw wrongUse(`--region takes ${Object.keys(REGIONS).join(", ")}.`, "Or give the address of the API: --api.");
  }
  const address = api ?? "";
  if (!/^https?:\/\/[^/?#@]+(?:\/[^?#]*)?$/i.test(address) || !URL.canParse(address))
    throw wrongUse("--api takes an absolute URL.", `For instance --api ${REGIONS.in ?? ""}.`);
  if (!/^https:/i.test(address) && !isLoopback(new URL(address).hostname))
    throw wrongUse("--api takes an https URL, unless it is on this machine.", "The API key would go in clear.");
  return address.replace(/\/+$/, "");
}

/** @throws Failure if it is not set, or no header can have it */
export function fromEnvironment(name: "KALEYRA_SID" | "KALEYRA_API_KEY"): string {
  const value = process.env[name];
  if (value !== undefined && /^[!-~]+$/.test(value)) return value;
  throw wrongUse(
    value === undefined || value === "" ? `${name} is not set.` : `${name} has a character that it cannot have.`,
    "Set KALEYRA_SID and KALEYRA_API_KEY in the environment: the console has both under API settings.",
  );
}

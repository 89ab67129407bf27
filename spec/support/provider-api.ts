// A stand-in of the provider's API for Callback Profiles, with the answers that its documentation prints.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express, { type Request, type Response } from "express";

/** What must be in no output, error or file. */
export const CANARIES = {
  key: "canary-of-the-api-key",
  header: "canary-of-the-header",
  otherHeader: "canary-of-another-header",
  encKey: "canary-enc-key-1",
  encIv: "canary-enc-iv-01",
  static: "canary-of-a-static",
  query: "canary-of-the-query",
  password: "canary-of-the-password",
} as const;

export const SID = "HX0000000001IN";

/** A profile as `data` of an answer has it. */
export interface StoredProfile {
  profile_id: string;
  title: string;
  url: string;
  http_method: string;
  headers: string | null;
  body_type: string | null;
  body: string | null;
  /** 1 active, 2 auto-disabled, 3 disabled. */
  status: number;
  /** An object in the documentation; headers beside it are a text. */
  enc: { algo: string; key: string; IV: string } | string | null;
  response_message: string;
  channel: string;
}

export interface ProviderStandIn {
  readonly url: string;
  /** What the console holds: a test changes it as a person would. */
  readonly profiles: StoredProfile[];
  /** Adds a profile, with the page's template and one header. */
  add(some?: Partial<StoredProfile>): StoredProfile;
  /** `METHOD path` of each request, and the content of each change. */
  readonly requests: Array<{ readonly line: string; readonly content: unknown }>;
  /** Answers the next requests in place of the API, until it is `undefined` again. */
  instead: ((request: Request, response: Response) => void) | undefined;
  close(): void;
}

export const PAGE_BODY = JSON.stringify(
  Object.fromEntries(
    "source recipient description status status_trace id kid message keyword operator circle timestamp parts[n]"
      .split(" ")
      .map((name) => [name, `<${name}>`]),
  ),
  undefined,
  1,
);

const CHANGEABLE = ["title", "http_method", "url", "body", "response_message", "headers", "enc", "channel", "events"];

export async function providerApi(): Promise<ProviderStandIn> {
  const profiles: StoredProfile[] = [];
  const requests: Array<ProviderStandIn["requests"][number]> = [];
  const app = express();
  const answer = (response: Response, status: number, code: string, message: string, more: object = {}): void =>
    void response.status(status).json({ code, message, data: {}, error: {}, ...more, status });
  const found = (request: Request, response: Response): StoredProfile | undefined => {
    const profile = profiles.find(({ profile_id }) => profile_id === request.params.id);
    if (profile === undefined) answer(response, 404, "RBC302", "No profile exists with this id");
    return profile;
  };

  app.use(express.json(), (request, response, next) => {
    requests.push({ line: `${request.method} ${request.url}`, content: request.body as unknown });
    if (standIn.instead !== undefined) standIn.instead(request, response);
    else if (request.get("api-key") !== CANARIES.key) answer(response, 401, "E401", "Unauthorized");
    else next();
  });
  app.get("/v1/:sid/callback/profiles", (request, response) => {
    const { limit = "25", offset = "0", title = "" } = request.query as Record<string, string | undefined>;
    const matching = profiles.filter((profile) => profile.title.includes(title));
    const page = matching.slice(Number(offset), Number(offset) + Math.min(Number(limit), 10));
    answer(response, 200, "RBC024", "Profiles fetched successfully", { data: page });
  });
  app.get("/v1/:sid/callback/profiles/:id", (request, response) => {
    const profile = found(request, response);
    if (profile !== undefined) answer(response, 200, "RBC024", "Profile fetched successfully", { data: profile });
  });
  app.patch("/v1/:sid/callback/profiles/:id", (request, response) => {
    const profile = found(request, response);
    if (profile === undefined) return;
    const change = request.body as Record<string, string>;
    if (!Object.keys(change).every((name) => CHANGEABLE.includes(name))) {
      answer(response, 400, "RBC104", "Invalid parameter");
      return;
    }
    Object.assign(profile, change);
    answer(response, 200, "RBC024", "Profile updated successfully", { data: { profileId: profile.profile_id } });
  });

  const server = createServer(app).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const standIn: ProviderStandIn = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    profiles,
    requests,
    instead: undefined,
    add: (some = {}) => {
      const profile: StoredProfile = {
        profile_id: `SG_${profiles.length}-f-2-4-8`,
        title: `incoming ${profiles.length}`,
        url: "https://your.domain/sms",
        http_method: "POST",
        headers: JSON.stringify({ "X-Callback-Token": CANARIES.header }),
        body_type: null,
        body: PAGE_BODY,
        status: 1,
        enc: null,
        response_message: "",
        channel: "some channel",
        ...some,
      };
      profiles.push(profile);
      return profile;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
  return standIn;
}

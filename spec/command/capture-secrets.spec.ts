// What `capture` neither prints nor keeps: secrets, numbers, and what steers a terminal.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "@jest/globals";

import { temporaryFolder } from "../inbox/temporary";
import { conclusionsOf, readBy, routerOf, saysOf, startCapture } from "../support/capturing";
import { startCommand } from "../support/command";
import { escaped, percent, rendered, sendTo, type Console, type Sent } from "../support/stand-in-provider";

const CANARY = "canary-4711-of-the-user";
const FIELDS = '"id": "<id>", "source": "<source>", "recipient": "<recipient>", "message": "<message>"';
const console = (more: Partial<Console> = {}): Console => ({
  method: "POST",
  template: `{ ${FIELDS} }`,
  insert: escaped,
  ...more,
});

/** What is in the folder after one text, and what was printed. */
async function kept(sent: (text: string) => Sent): Promise<{ readonly files: string; readonly printed: string }> {
  const folder = temporaryFolder();
  const running = startCapture(["--once", "--save", folder]);
  const { port, awkward } = await running.listening;
  await sendTo(port, sent(awkward));
  const { stdout, stderr } = await running.ended;
  const files = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  return { files: files.join(), printed: stdout + stderr };
}

describe("capture keeps no secret", () => {
  it.each([
    "X-Callback-Token",
    "CF-Access-Client-Secret",
    "X-Amz-Security-Token",
    "X-Amzn-Oidc-Accesstoken",
    "X-Forwarded-Access-Token",
    "Content-Signature",
    "Referer",
    "Cookie",
    "X-Sent-Via",
    "Date-Token",
  ])("in the header %s", async (header) => {
    const { files, printed } = await kept((text) => rendered(text, console({ headers: { [header]: CANARY } })));
    expect(files).toContain(header);
    expect(files + printed).not.toContain(CANARY);
  });

  it("but the values of headers that cannot hold one, however their names are written", async () => {
    const { files } = await kept((text) => rendered(text, console({ headers: { "USER-Agent": CANARY } })));
    expect(files).toContain(CANARY);
  });

  it.each<[where: string, sent: (text: string) => Sent]>([
    ["a query that is nothing else", (text) => rendered(text, console({ query: CANARY }))],
    ["the path", (text) => ({ ...rendered(text, console()), path: `/hooks/${CANARY}?x=1` })],
    [
      "a variable of the provider's page that the user filled in",
      (text) =>
        rendered(
          text,
          console({
            method: "GET",
            template: `id=<id>&source=<source>&recipient=<recipient>&message=<message>&ref=${CANARY}`,
            insert: percent,
          }),
        ),
    ],
  ])("in %s", async (_where, sent) => {
    const { files, printed } = await kept(sent);
    expect(files).toContain("not-kept");
    expect(files + printed).not.toContain(CANARY);
  });
});

describe("capture prints no secret", () => {
  it("prints no fixed value that may be a secret or a number: the code takes it from the environment", async () => {
    const number = "+919876500001";
    const statics = `"msisdn": "${number}", "api_token": "s3cr3t", "tenantId": "${CANARY}", "tenant": "acme"`;
    const running = startCapture(["--once"]);
    const { port, awkward } = await running.listening;
    const sent = rendered(awkward, console({ template: `{ ${FIELDS}, ${statics} }`, insert: (value) => value }));
    await sendTo(port, sent);
    const ran = await running.ended;
    for (const secret of [number, "s3cr3t", CANARY]) expect(ran.stdout + ran.stderr).not.toContain(secret);
    const [conclusion] = conclusionsOf(ran);
    expect(conclusion && saysOf(conclusion, "static fields")).toContain(
      "to do: api_token is not printed: set SMS_API_TOKEN to the value in the console.",
    );
    const env = { SMS_MSISDN: number, SMS_API_TOKEN: "s3cr3t", SMS_TENANT_ID: CANARY };
    const message = await readBy(routerOf(conclusion?.code ?? "", env), sent);
    expect(message?.text).toBe(awkward);
    expect(message?.fields).toMatchObject({ tenant: "acme", msisdn: number });
  });

  it("prints no name that may be a number", async () => {
    const running = startCapture(["--once"]);
    const { port, awkward } = await running.listening;
    await sendTo(port, rendered(awkward, console({ template: `{ ${FIELDS}, "919876500001": "x" }` })));
    const { stdout, stderr } = await running.ended;
    expect(stdout + stderr).not.toContain("919876500001");
  });

  it("prints neither the query nor the path of the endpoint of --forward", async () => {
    const url = `http://127.0.0.1:1/${CANARY}?token=${CANARY}`;
    const { child, printed, ended } = startCommand(["capture", "--port", "0", "--forward", url]);
    await printed(/passed on to http:\/\/127\.0\.0\.1:1\/\.\.\.\?\.\.\., and answered as it does/);
    child.kill("SIGINT");
    const { stdout, stderr } = await ended;
    expect(stdout + stderr).not.toContain(CANARY);
  });

  it("prints nothing that steers a terminal, be it a name or a value, and the code still reads it", async () => {
    const name = "ten\u202eant";
    const value = "\u202egnp \u009b31mRED\u2066";
    const running = startCapture(["--once"]);
    const { port, awkward } = await running.listening;
    const sent = rendered(
      awkward,
      console({ template: `{ ${FIELDS}, "${name}": "${value}" }`, insert: (text) => text }),
    );
    await sendTo(port, sent);
    const ran = await running.ended;
    expect(ran.stdout + ran.stderr).not.toMatch(/[\u0080-\u009f\u202e\u2066]/);
    const [conclusion] = conclusionsOf(ran);
    expect(conclusion?.code).not.toMatch(/[\u0080-\u009f\u202e\u2066]/);
    const message = await readBy(routerOf(conclusion?.code ?? ""), sent);
    expect([message?.text, message?.fields[name]]).toEqual([awkward, value]);
  });
});

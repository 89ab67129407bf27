// What docs/inbox-engines.md and docs/operating.md say to run on PostgreSQL works as printed, and the rights that are
// granted are enough.

import { execFile } from "node:child_process";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "@jest/globals";
import { postgresInbox } from "express-kaleyra-sms/postgres";
import { Pool } from "pg";

import { post } from "../../support/callbacks";
import { describeWithPostgres, postgresServer, type PostgresServer } from "../../support/postgres";
import { recorder } from "../../support/recorder";
import { ended, temporaryFolder } from "../temporary";
import { until } from "../waiting";

const ROOT = join(__dirname, "..", "..", "..");
const PAGE = readFileSync(join(ROOT, "docs", "inbox-engines.md"), "utf8");

/** The one block of code in a language that contains a text. */
function block(language: string, text: string): string {
  const blocks = Array.from(PAGE.matchAll(/^```(\w+)\n([^]*?)^```$/gm), ([, of, code = ""]) => ({ of, code }));
  const [found, ...more] = blocks.filter(({ of, code }) => of === language && code.includes(text));
  if (found === undefined || more.length > 0) throw new Error(`The page must have one ${language} block with ${text}.`);
  return found.code;
}

describeWithPostgres("docs/inbox-engines.md", () => {
  let server: PostgresServer;
  beforeAll(async () => {
    server = await postgresServer();
    await server.query("CREATE ROLE app LOGIN; CREATE ROLE sms_app LOGIN");
  }, 30_000);
  afterAll(() => server.remove());

  let sent = 0;
  /** Stores and handles a message, and erases its subscriber, as a role. */
  const use = async (url: string, role: string): Promise<void> => {
    const pool = new Pool({ connectionString: url.replace("postgres@", `${role}@`) });
    const inbox = postgresInbox({ pool });
    const { sms, messages } = recorder({ inbox });
    ended.push(async () => {
      await sms.close();
      await pool.end();
    });
    expect(await sms.receive(post({ id: `${++sent}` }))).toMatchObject({ outcome: "stored" });
    await until(async () => messages.length === 1 && (await inbox.stats()).running === 0);
    expect(await inbox.forget("+919876543210")).toBe(0);
  };

  it("grants what the inbox needs to make its tables", async () => {
    const url = await server.createDatabase();
    await server.query(block("sql", "AUTHORIZATION app"), url);
    await use(url, "app");
  });

  it("grants what the inbox needs where another role has made its tables", async () => {
    const url = await server.createDatabase();
    await server.query(block("sql", "AUTHORIZATION app"), url);
    // As a careful administrator does: by default, everybody may execute every function.
    await server.query("ALTER DEFAULT PRIVILEGES FOR ROLE app REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC", url);
    await use(url, "app");
    await server.query(block("sql", "GRANT USAGE"), url);
    await use(url, "sms_app");
  });

  it("erases what was forgotten from the files, and says what to watch", async () => {
    const url = await server.createDatabase();
    await use(url, "postgres");
    await server.query(block("sql", "VACUUM FULL"), url);
    await server.query(block("sql", "log_parameter_max_length"), url);
    const tables = await server.query(block("sql", "n_dead_tup"), url);
    expect(tables.map(({ relname }) => relname)).toContain("sms_message");
    expect(await server.query(block("sql", "xact_start"), url)).toEqual([]);
    await use(url, "postgres");
  });

  it("can be asked what docs/operating.md asks", async () => {
    const page = readFileSync(join(ROOT, "docs", "operating.md"), "utf8");
    const asked = Array.from(page.matchAll(/^psql "\$DATABASE_URL" -c "([^"]*)"$/gm), ([, sql = ""]) => sql);
    expect(asked).toHaveLength(3);
    const [state, open] = [await server.query(asked[0] ?? ""), await server.query(asked[1] ?? "")];
    expect(state).toEqual([{ only_reads: false, connections: "100", used: expect.any(String) }]);
    expect(open).toMatchObject([{ usename: "postgres", state: "active" }]);
    expect(await server.query(asked[2] ?? "")).toEqual([]);
  });

  it("has a program that ends by itself on SIGTERM", async () => {
    const folder = temporaryFolder();
    symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
    const used = `
      sms.on("message", () => process.kill(process.pid, "SIGTERM"));
      await sms.receive({ method: "POST", body: { id: "1", source: "919876543210", recipient: "5050", message: "" } });`;
    const program = block("js", "new Pool").replace("drainMs: 10_000", "drainMs: 10");
    writeFileSync(join(folder, "app.mjs"), program + used);
    const env = { PATH: process.env.PATH, DATABASE_URL: await server.createDatabase(), CALLBACK_TOKEN: "s3cret" };
    await promisify(execFile)(process.execPath, ["app.mjs"], { cwd: folder, env, timeout: 20_000 });
  }, 30_000);
});

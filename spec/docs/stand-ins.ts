// What blocks of code in the pages may use without declaring it: the package's own names, and those of an app whose
// meaning is plain. A name that a block declares or imports itself wins over these.

export const STAND_INS = `
import type * as Http from "node:http";
import type Express from "express";
import type * as HonoModule from "hono";
import type * as Pg from "pg";
import type * as Kaleyra from "express-kaleyra-sms";
import type * as Bullmq from "express-kaleyra-sms/bullmq";
import type * as Metrics from "express-kaleyra-sms/metrics";
import type * as Postgres from "express-kaleyra-sms/postgres";
import type * as Simulator from "express-kaleyra-sms/simulator";
import type * as Sqlite from "express-kaleyra-sms/sqlite";
import type * as Testing from "express-kaleyra-sms/testing";
import type Client from "prom-client";

declare global {
  // The package
  const alone: typeof Kaleyra.alone;
  const callbackProfile: typeof Kaleyra.callbackProfile;
  const HELP: typeof Kaleyra.HELP;
  const incomingSms: typeof Kaleyra.incomingSms;
  const OPT_IN: typeof Kaleyra.OPT_IN;
  const OPT_OUT: typeof Kaleyra.OPT_OUT;
  const POSSIBLE_OPT_OUT: typeof Kaleyra.POSSIBLE_OPT_OUT;
  const SmsError: typeof Kaleyra.SmsError;
  const bullmqInbox: typeof Bullmq.bullmqInbox;
  const metrics: typeof Metrics.metrics;
  const postgresInbox: typeof Postgres.postgresInbox;
  const simulator: typeof Simulator.simulator;
  const sqliteInbox: typeof Sqlite.sqliteInbox;
  const fixture: typeof Testing.fixture;
  const memoryInbox: typeof Testing.memoryInbox;
  const settled: typeof Testing.settled;
  const subscriber: typeof Testing.subscriber;
  type IncomingSms = Kaleyra.IncomingSms;
  type SmsMessage = Kaleyra.SmsMessage;

  // What it is used with
  const createServer: typeof Http.createServer;
  const DatabaseSync: new (path: string) => Sqlite.SqliteDatabase;
  const express: typeof Express;
  const Hono: typeof HonoModule.Hono;
  const Pool: typeof Pg.Pool;
  const NodeSDK: new (options?: object) => { start(): void };
  const client: typeof Client;

  // An app
  interface Statement {
    get(...values: unknown[]): Record<string, string>;
    all(...values: unknown[]): Array<Record<string, string>>;
    run(...values: unknown[]): unknown;
  }
  interface Database extends Sqlite.SqliteDatabase {
    prepare(sql: string): Statement & Sqlite.SqliteStatement;
    transaction(call: (key: string, change: () => string) => void): typeof call;
    close(): void;
  }
  const app: Express.Express;
  const inbox: Kaleyra.OperableInbox;
  const profile: Kaleyra.CallbackProfile;
  const server: Http.Server;
  const sms: Kaleyra.IncomingSms;
  const csrfGuard: Express.RequestHandler;
  const database: Database;
  const sanitizer: Express.RequestHandler;
  const validator: Express.RequestHandler;
  function alertSomeone(id: string): void;
  function confirm(source: string, code?: string): void;
  function createSms(): Kaleyra.IncomingSms;
  function currentTraceparent(): string;
  function decryptAs(field: string, value: string): string;
  function forwardToAPerson(message: Kaleyra.SmsMessage): void;
  function hasOptedOut(source: string): boolean;
  function join(source: string, plan?: string): Promise<void>;
  function joinClub(source: string): Promise<void>;
  function joinNewsletter(source: string): Promise<void>;
  function optIn(source: string): Promise<void>;
  function optOut(source: string): Promise<void>;
  function save(message: object): Promise<void>;
  function sendSms(
    reply: { to: string; text: string; idempotencyKey: string },
    signal?: AbortSignal,
  ): Promise<void>;
  function takeCoupon(source: string): string;
  function sendBalance(source: string): Promise<void>;

  // An inbox that is being written
  type InboxOptions = NonNullable<Parameters<typeof Testing.memoryInbox>[0]>;
  function itConforms(inbox: { isOrdered: boolean; place: () => Place }): void;
  type Place = { open: (options: InboxOptions) => Kaleyra.Inbox; remove: () => void };
  function openEmptyDatabase(): Database;
  function yourInbox(options: object): Kaleyra.Inbox;
}
`;

/** Packages that blocks import, and that only users install: nothing is known of what they export. */
export const PACKAGES = ["@opentelemetry/instrumentation-http", "@opentelemetry/sdk-node"];

// A process on PostgreSQL that is killed at random instants: no acknowledged message is lost, the order is kept, and only
// running messages are handled again.

import { join } from "node:path";
import { it } from "@jest/globals";

import { describeWithPostgres, postgresServer } from "../../support/postgres";
import { killAgainAndAgain } from "../kill";
import { ended, temporaryFolder } from "../temporary";

describeWithPostgres("postgresInbox", () => {
  it("handles every acknowledged message although its process is killed again and again", async () => {
    const server = await postgresServer();
    ended.push(() => server.remove());
    await killAgainAndAgain("PostgreSQL", join(temporaryFolder(), "log"), ["postgres", server.url], {
      isOrdered: true,
    });
  }, 120_000);
});

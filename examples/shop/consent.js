// Who may be texted. Somebody without a row may get an answer to a question, and no offers.

export function createConsent(database) {
  // A dead letter may be replayed late: only a later choice replaces an earlier one.
  const choose = database.prepare(`
    INSERT INTO consent (source, state, since) VALUES (?, ?, ?)
    ON CONFLICT (source) DO UPDATE SET state = excluded.state, since = excluded.since
    WHERE excluded.since >= consent.since`);
  const find = database.prepare("SELECT state FROM consent WHERE source = ?");
  const stateOf = (source) => find.get(source)?.state;

  return {
    optOut: (source, at) => choose.run(source, "out", at),
    optIn: (source, at) => choose.run(source, "in", at),
    hasOptedOut: (source) => stateOf(source) === "out",
    hasOptedIn: (source) => stateOf(source) === "in",
  };
}

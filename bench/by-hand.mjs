// How keywords are told apart by hand, where a library leaves that to its user.

export function switchOn(text, handled) {
  switch (text.trim().split(/\s+/)[0].toUpperCase()) {
    case "STOP":
    case "STOPALL":
    case "UNSUBSCRIBE":
    case "CANCEL":
    case "END":
    case "QUIT":
      handled.keyword();
      break;
    case "START":
    case "YES":
    case "UNSTOP":
      handled.keyword();
      break;
    case "HELP":
    case "INFO":
      handled.keyword();
      break;
  }
}

/** The same for the libraries that take patterns. */
export const PATTERNS = [
  /^\s*(?:STOP|STOPALL|UNSUBSCRIBE|CANCEL|END|QUIT)\b/i,
  /^\s*(?:START|YES|UNSTOP)\b/i,
  /^\s*(?:HELP|INFO)\b/i,
];

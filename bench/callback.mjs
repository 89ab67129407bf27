// The provider's callback as its page prints it, as one HTTP request each: numbered, so that none is like another.

/** As many as order within one source does not hold back: more than there are connections. */
const SUBSCRIBERS = 1_000;

/** The last eight digits of every id are the request's number. */
export const digits = (n) => String(n).padStart(8, "0");

export const idOf = (n) => `90e74b4c-8865-4a96-85b6-4406${digits(n)}`;
export const sourceOf = (n) => String(919_000_000_000 + (n % SUBSCRIBERS));

/** As a hundred thousand subscribers in India dial themselves at home: more than the package remembers. */
export const nationalSourceOf = (n) => `098765${digits(n % 100_000).slice(3)}`;

/** What subscribers type where nothing else is said; its first word opts out. */
export const TEXT = "UNSUBSCRIBE THE OFFER message";

export function httpPost(path, headers, body) {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}Content-Length: ${body.length}\r\n\r\n${body}`;
}

/** The secret of the servers that ask for one. */
export const TOKEN = "a-secret-of-the-benchmark";

/**
 * The printed POST sample. Its length does not depend on the number, so that only what differs is made anew.
 *
 * @param isForAll - with the secret, and without the parts that a declared profile need not ask for
 */
export function callbackPost(n, text = TEXT, isForAll = false, source = sourceOf(n)) {
  if (text.length !== template.textLength || source.length !== template.sourceLength || isForAll !== template.isForAll)
    template = templateFor(text, isForAll, source);
  const { head, middle, beforeText, tail } = template;
  return head + idOf(n) + middle + source + beforeText + text + tail;
}

let template = templateFor(TEXT, false, sourceOf(0));

function templateFor(text, isForAll, source) {
  const body = `{
  "description": "Message has been sent",
  "id": "${idOf(0)}",
  "kid": "90e74b4c-8112-4a96-85b6-44000000008f",
  "recipient": "+919812345678",
  "source": "${source}",
  "status": "SENT",
  "status_trace": "SENT",
  "message":"${text}",
  "keyword":"SAMPLE",
  "operator":"JIO",
  "circle":"JIO ASSAM",
  "timestamp":"2025-04-17 18:35:20"${isForAll ? "" : ',\n  "parts[n]":"SAMPLE"'}
}`;
  const headers = { "Content-Type": "application/json", ...(isForAll ? { "X-Callback-Token": TOKEN } : {}) };
  const [head, afterId] = httpPost("/sms", headers, body).split(idOf(0));
  const [middle, afterSource] = afterId.split(source);
  const [beforeText, tail] = afterSource.split(text);
  return { textLength: text.length, sourceLength: source.length, isForAll, head, middle, beforeText, tail };
}

/** The fields of the printed POST sample as a form. */
export function callbackForm(n) {
  const body =
    `description=Message+has+been+sent&id=${idOf(n)}&kid=90e74b4c-8112-4a96-85b6-44000000008f` +
    `&recipient=%2B919812345678&source=${sourceOf(n)}&status=SENT&status_trace=SENT&message=UNSUBSCRIBE+THE+OFFER+message` +
    `&keyword=SAMPLE&operator=JIO&circle=JIO+ASSAM&timestamp=2025-04-17+18%3A35%3A20`;
  return httpPost("/sms", { "Content-Type": "application/x-www-form-urlencoded" }, body);
}

/** The printed GET sample. */
export function callbackGet(n) {
  return (
    `GET /sms?source="${sourceOf(n)}"&recipient="919812345678"&description="Message%20has%20been%20sent"&status="SENT"` +
    `&status_trace="SENT"&id="${idOf(n)}"&kid="90e74b4c-8112-4a96-85b6-44000000008f"` +
    `&message="UNSUBSCRIBE%20THE%20OFFER%20message"&keyword=SAMPLE&circle="Airtel-Karnataka"&operator="Airtel"&parts[1]="SAMPLE"` +
    ` HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`
  );
}

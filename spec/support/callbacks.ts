// The callbacks that the provider's page prints, and functions that make similar ones.

/** The body of the printed POST sample, exactly as printed. */
export const PRINTED_POST = `{
  "description": "Message has been sent",
  "id": "90eXXXXX-8865-4a96-85b6-4XXXXXXXXX48",
  "kid": "90e74b4c-8XXX-4a96-85b6-44XXXXXXX08",
  "recipient": "+91XXXXXXXXXX",
  "source": "91XXXXXXXXXX",
  "status": "SENT",
  "status_trace": "SENT",
  "message":"UNSUBSCRIBE THE OFFER message",
  "keyword":"SAMPLE",
  "operator":"JIO",
  "circle":"JIO ASSAM",
  "timestamp":"2025-04-17 18:35:20",
  "parts[n]":"SAMPLE"
}`;

/** The printed GET sample. Its spaces are escaped, since a URL cannot contain spaces. */
export const PRINTED_GET =
  'source="918240XXXXXX"&recipient="91987XXXXXXX"&description="Message%20has%20been%20sent"' +
  '&status="SENT"&status_trace="SENT"&id="90e74b4c-8865-4a96-85b6-4406e4XXXX48"' +
  '&kid="90e74b4c-8865-4a96-85b6-4406eXXXXXXX"&message="SUBSCRIBE%20THE%20OFFER%20message"' +
  '&keyword=SAMPLE&circle="Airtel-Karnataka"&operator="Airtel"&parts[1]="SAMPLE"';

/** The query of the endpoint that the page prints for GET. It has `type` twice, and neither message nor keyword. */
export const PRINTED_ENDPOINT =
  "to=<recipient>&id=<id>&status=<status>&message_id=<message_id>&sender=<sender>&type=<type>&ref=<ref>" +
  "&ref1=<ref1>&ref2=<ref2>&ref_custom=<ref_custom>&msgid=<msgid>&flash=<flash>&total=<total>&source=<source>" +
  "&price=<price>&iso_code=<iso_code>&delivered=<delivered>&submittime=<submittime>&sent_time=<sent_time>" +
  "&country_name=<country_name>&campaign_name=<campaign_name>&length=<length>&units=<units>&type=<type>" +
  "&description=<description>&recipient=<recipient>&status_trace=<status_trace>";

let count = 0;

/** Fields for which the provider has no value. */
const EMPTY = Object.fromEntries(
  ["description", "status", "status_trace", "kid", "keyword", "operator", "circle", "timestamp"].map((name) => [
    name,
    "",
  ]),
);

/** All fields of the printed template, valid, and with a new id. */
export function callback(fields: Record<string, unknown> = {}): Record<string, unknown> {
  const required = { id: `id-${++count}`, source: "919876543210", recipient: "+919812345678", message: "hello" };
  return { ...EMPTY, ...required, ...fields };
}

/** The same fields as an argument of `sms.receive`. */
export function post(fields: Record<string, unknown> = {}): { method: "POST"; body: string } {
  return { method: "POST", body: JSON.stringify(callback(fields)) };
}

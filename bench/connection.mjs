// One kept-alive HTTP connection that sends a request when the one before is answered. As little work as will do, so
// that the load is never what is measured.

import { connect } from "node:net";

const HEAD_END = "\r\n\r\n";
const CONTENT_LENGTH = /\r\ncontent-length: (\d+)/i;
const CHUNKS_END = "0\r\n\r\n";

/**
 * @param nextRequest - gives the text of the next request, `undefined` to stop, or `null` to wait: what it is given
 * then goes on
 * @param onAnswer - gets the status of each answer
 * @returns a promise for the end, rejected where the server ends the connection
 */
export function keepSending(port, nextRequest, onAnswer) {
  return new Promise((resolve, reject) => {
    let answer = "";
    const send = () => {
      const request = nextRequest(send);
      if (request === null) return;
      if (request === undefined) {
        socket.destroy();
        resolve();
      } else {
        socket.write(request, "latin1");
      }
    };
    const read = (length, buffer) => {
      answer += buffer.latin1Slice(0, length);
      if (isWhole(answer)) {
        onAnswer(Number(answer.slice(9, 12)));
        answer = "";
        send();
      }
      return true;
    };
    const socket = connect({
      port,
      host: "127.0.0.1",
      noDelay: true,
      onread: { buffer: Buffer.alloc(65_536), callback: read },
    });
    socket.once("connect", send);
    socket.once("error", reject);
    socket.once("end", () => reject(new Error("The server ended a connection.")));
  });
}

function isWhole(answer) {
  const headEnd = answer.indexOf(HEAD_END);
  if (headEnd === -1) return false;
  const length = CONTENT_LENGTH.exec(answer);
  if (length === null) return answer.endsWith(CHUNKS_END);
  return answer.length >= headEnd + HEAD_END.length + Number(length[1]);
}

// The health of a worker, over HTTP. It takes no callbacks. Your metrics can be served here, too.

import { createServer } from "node:http";

/** `GET /health`: 503 while the worker cannot handle what is stored. */
export function serveHealth(sms, port) {
  const server = createServer((req, res) => {
    if (req.url !== "/health") {
      res.writeHead(404).end();
      return;
    }
    const health = sms.health();
    res.writeHead(health.ready ? 200 : 503, { "Content-Type": "application/json" }).end(JSON.stringify(health));
  });
  return server.listen(port, () => console.log(`Listening at http://localhost:${server.address().port}/health`));
}

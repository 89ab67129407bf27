// A TCP proxy in front of a server of a spec: it can fall silent, and cut connections.

import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  /** Accepts connections, and passes nothing on in either direction. */
  silence(): void;
  /** Passes everything on again, what came meanwhile included. */
  resume(): void;
  /** Destroys all connections. New ones are accepted. */
  cut(): void;
  /** Destroys all connections, and listens no more. */
  remove(): Promise<void>;
}

/** Starts a proxy on a free port of 127.0.0.1. */
export async function tcpProxy(to: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isSilent = false;
  const proxy = createServer((near) => {
    const far = connect(to, "127.0.0.1");
    for (const [from, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (bytes) => void other.write(bytes));
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        other.destroy();
      });
      if (isSilent) from.pause();
    }
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (proxy.address() as AddressInfo).port,
    silence: () => {
      isSilent = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      isSilent = false;
      for (const socket of sockets) socket.resume();
    },
    cut,
    remove: async () => {
      const closed = once(proxy, "close");
      proxy.close();
      cut();
      await closed;
    },
  };
}

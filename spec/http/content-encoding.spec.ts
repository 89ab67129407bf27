// Content encodings as senders write them: lists, names that are no compression, compressions that were not applied.

import { describe, expect, it, jest } from "@jest/globals";
import express from "express";
import request from "supertest";
import { buffer } from "node:stream/consumers";
import { brotliCompressSync, constants, createBrotliCompress, deflateSync, gunzipSync, gzipSync } from "node:zlib";

import { callback } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { recorder, type SomeOptions } from "../support/recorder";

jest.spyOn(process, "emitWarning").mockImplementation(() => undefined);

const plain = (message = "é ✓"): Buffer => Buffer.from(JSON.stringify(callback({ message })));
const form = (): Buffer =>
  Buffer.from(new URLSearchParams(callback({ message: "é ✓" }) as Record<string, string>).toString());

type Way = (encoding: string, body: Buffer, options?: SomeOptions, type?: string) => Promise<{ status: number }>;

const seen = (status: number, { messages, invalid }: ReturnType<typeof recorder>) => ({
  status,
  text: messages[0]?.text,
  code: invalid[0]?.code,
});

const WAYS: Array<[string, Way]> = [
  ...EXPRESS.flatMap(([name, framework]): Array<[string, Way]> =>
    [[], [express.json()]].map((before, at) => [
      `${name}${at === 0 ? "" : " behind express.json()"}`,
      async (encoding, body, options, type = "text/plain") => {
        const recorded = recorder(options);
        const app = framework();
        for (const one of before) app.use(one);
        const post = request(app.use("/sms", recorded.sms)).post("/sms").set("Content-Type", type);
        const { status } = await post
          .set("Content-Encoding", encoding)
          .serialize((sent: unknown) => sent as string)
          .send(body);
        return seen(status, recorded);
      },
    ]),
  ),
  [
    "sms.fetch",
    async (encoding, body, options, type = "text/plain") => {
      const recorded = recorder(options);
      const headers = { "Content-Encoding": encoding, "Content-Type": type };
      const { status } = await recorded.sms.fetch(
        new Request("https://example.com/sms", { method: "POST", headers, body }),
      );
      return seen(status, recorded);
    },
  ],
];

describe.each(WAYS)("%s", (_, send) => {
  const received = { status: 200, text: "é ✓" };

  it.each(["UTF-8", "utf8", "none", "identity", "binary", "", " , ", "none, utf-8"])(
    "reads a body whose Content-Encoding names no compression: %j",
    async (encoding) => {
      expect(await send(encoding, plain())).toMatchObject(received);
      expect(await send(encoding, form(), {}, "application/x-www-form-urlencoded")).toMatchObject(received);
    },
  );

  it.each(["gzip, deflate", "gzip, deflate, br", "gzip", "br", "deflate", "zstd", "zip", "x-gzip", "compress, gzip"])(
    "reads plain JSON over which %s stands",
    async (encoding) => {
      expect(await send(encoding, plain())).toMatchObject(received);
      expect(await send(encoding, Buffer.concat([Buffer.from("\r\n \ufeff"), plain()]))).toMatchObject(received);
    },
  );

  it.each<[string, (body: Buffer) => Buffer]>([
    ["gzip", gzipSync],
    ["gzip, deflate", (body) => deflateSync(gzipSync(body))],
    ["deflate,gzip", (body) => gzipSync(deflateSync(body))],
    ["br, gzip, deflate", (body) => deflateSync(gzipSync(brotliCompressSync(body)))],
    ["gzip, utf-8", gzipSync],
    ["utf-8, X-GZIP", gzipSync],
    // Each that was not applied is passed over.
    ["deflate, gzip", gzipSync],
    ["gzip, gzip, gzip, gzip, gzip", (body) => [1, 2, 3, 4, 5].reduce((one) => gzipSync(one), body)],
  ])("undoes %s in turn, the last one first", async (encoding, compress) => {
    expect(await send(encoding, compress(plain()))).toMatchObject(received);
  });

  it("rejects compressions that it does not read, more than five, and bytes that are not compressed", async () => {
    const zipped = Buffer.from("PK\x03\x04zipped");
    for (const encoding of ["zip", "zstd", "gzip, zstd", "compress", Array(6).fill("gzip").join()])
      expect(await send(encoding, zipped)).toMatchObject({ status: 415, code: "unsupported-media-type" });
    for (const encoding of ["gzip, deflate", "gzip", "br"])
      expect(await send(encoding, zipped)).toMatchObject({ status: 400, code: "malformed-body" });
    expect(await send("deflate, gzip", gzipSync("not deflated"))).toMatchObject({ code: "malformed-body" });
  });

  it("counts bodyLimit after each step", async () => {
    const limit = { bodyLimit: 10_000 };
    const bomb = gzipSync(Buffer.alloc(5_000_000));
    expect(await send("gzip", bomb, limit)).toMatchObject({ status: 413 });
    expect(await send("gzip, deflate", deflateSync(bomb), limit)).toMatchObject({ status: 413 });
    // The first step inflates past the limit, although the second one would not.
    expect(await send("gzip, br", brotliCompressSync(gzipSync(Buffer.alloc(12_000_000))), limit)).toMatchObject({
      status: 413,
    });
    expect(await send("gzip, deflate", deflateSync(gzipSync(plain())), limit)).toMatchObject(received);
  });

  it("reads an empty body under a compression as an empty one", async () => {
    expect(await send("gzip", Buffer.from(" "))).toMatchObject({ status: 400, code: "malformed-body" });
  });
});

/** A body compressed by brotli that begins with the byte of a space: the first byte tells the length modulo 16. */
async function beginningWithSpace(): Promise<Buffer> {
  const body = plain();
  const padded = Buffer.concat([body, Buffer.alloc((3 - body.length) & 15, " ")]);
  const stream = createBrotliCompress({ params: { [constants.BROTLI_PARAM_LGWIN]: 16 } });
  stream.write(padded);
  await new Promise<void>((resolve) => stream.flush(resolve));
  stream.end();
  return buffer(stream);
}

/** Sends a body in pieces, which are read one by one. */
async function fetchPieces(encoding: string, pieces: readonly Uint8Array[]) {
  const recorded = recorder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
  const headers = { "Content-Encoding": encoding };
  const init: RequestInit & { duplex: "half" } = { method: "POST", headers, body, duplex: "half" };
  const { status } = await recorded.sms.fetch(new Request("https://example.com/sms", init));
  return seen(status, recorded);
}

it("recognizes plain JSON, and what is compressed, also if the first pieces are only white space", async () => {
  const space = Buffer.from("\r\n");
  expect(await fetchPieces("gzip", [space, Buffer.from(" "), plain()])).toMatchObject({ status: 200, text: "é ✓" });
  const compressed = await beginningWithSpace();
  expect(compressed[0]).toBe(0x20);
  const pieces = Array.from(compressed, (byte) => Uint8Array.of(byte));
  expect(await fetchPieces("br", pieces)).toMatchObject({ status: 200, text: "é ✓" });
});

describe("a rawBody", () => {
  /** Sends a body whose bytes something before the router reads, and leaves in part. */
  const send = async (encoding: string, body: Buffer, leave: (body: Buffer) => Buffer) => {
    const recorded = recorder();
    const app = express().use((req, _res, next) => {
      const chunks: Buffer[] = [];
      req.on("data", (chunk: Buffer) => chunks.push(chunk));
      req.on("end", () => {
        Object.assign(req, { rawBody: leave(Buffer.concat(chunks)) });
        next();
      });
    }, recorded.sms);
    const { status } = await request(app)
      .post("/")
      .set("Content-Type", "application/json")
      .set("Content-Encoding", encoding)
      .serialize((sent: unknown) => sent as string)
      .send(body);
    return seen(status, recorded);
  };

  it("may be inflated, and then shorter than the request declares", async () => {
    const stored = gzipSync(plain(), { level: 0 });
    expect(await send("gzip", stored, gunzipSync)).toMatchObject({ status: 200, text: "é ✓" });
  });

  it("is incomplete if it is shorter than declared, and the Content-Encoding names no compression", async () => {
    expect(await send("utf-8", plain(), (body) => body)).toMatchObject({ status: 200, text: "é ✓" });
    expect(await send("utf-8", plain(), (body) => body.subarray(0, 20))).toMatchObject({ status: 500 });
  });
});

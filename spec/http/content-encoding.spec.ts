// Content encodings as senders write them: lists, names that are no compression, and compressions that were not applied.

import { describe, expect, it } from "@jest/globals";
import express from "express";
import request from "supertest";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

import { callback } from "../support/callbacks";
import { EXPRESS } from "../support/hosts";
import { recorder, type SomeOptions } from "../support/recorder";

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

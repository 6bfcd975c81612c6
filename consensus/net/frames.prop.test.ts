import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameQueue, FrameReader } from "./frames.ts";

const limits = { framesMax: 1_000, bytesMax: 1_000_000 };
const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 40 });

describe("frames", () => {
  it("come out as they went in, however they are cut on the way", () => {
    fc.assert(
      fc.property(payloads, fc.infiniteStream(fc.integer({ min: 1, max: 97 })), (sent, sizes) => {
        const queue = new FrameQueue(limits);
        const reader = new FrameReader(300);
        const got: Uint8Array[] = [];
        for (const payload of sent) expect(queue.push(payload)).toBe(true);
        for (;;) {
          const chunk = queue.shift(sizes.next().value as number);
          if (chunk === null) break;
          reader.push(chunk);
          for (let frame = reader.next(); frame !== null; frame = reader.next()) got.push(frame);
        }
        expect(got).toEqual(sent);
        expect([queue.frames, queue.bytes, reader.bufferedBytes, reader.hasFrame]).toEqual([
          0,
          0,
          0,
          false,
        ]);
      }),
    );
  });

  it("are refused past a queue's bounds, and taken again once there is room", () => {
    fc.assert(
      fc.property(payloads, (sent) => {
        const queue = new FrameQueue({ framesMax: 5, bytesMax: 600 });
        for (const payload of sent) {
          const before = [queue.frames, queue.bytes];
          if (!queue.push(payload)) expect([queue.frames, queue.bytes]).toEqual(before);
          expect(queue.frames).toBeLessThanOrEqual(5);
          expect(queue.bytes).toBeLessThanOrEqual(600);
        }
        while (queue.shift(50) !== null);
        expect(queue.push(new Uint8Array(300))).toBe(true);
      }),
    );
  });

  it("are refused by their length before their bytes are waited for", () => {
    fc.assert(
      fc.property(fc.integer({ min: 301, max: 2 ** 32 - 1 }), (length) => {
        const reader = new FrameReader(300);
        const header = new Uint8Array(4);
        new DataView(header.buffer).setUint32(0, length);
        reader.push(header);
        expect(() => reader.next()).toThrow(`got ${length}`);
      }),
    );
  });
});

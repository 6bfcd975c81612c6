import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import {
  blocksOf,
  digests,
  hashLanes,
  laneBlocksMax,
  laneMemory,
  laneStart,
  lanes,
  padLane,
} from "./sha256-lanes.ts";

/** xorshift32 */
function createXorshift(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
}

function digestOf(lane: number): string {
  const digest = Buffer.alloc(32);
  for (let word = 0; word < 8; word++)
    digest.writeInt32BE(digests[word * lanes + lane] as number, word * 4);
  return digest.toString("hex");
}

describe("four hashes at once", () => {
  test("equal OpenSSL's at every length a lane holds, with other messages beside", () => {
    const next = createXorshift(1);
    const lengthMax = laneBlocksMax * 64 - 9;
    for (let length = 0; length <= lengthMax; length++) {
      const messages = Array.from({ length: lanes }, () =>
        Buffer.from(Array.from({ length }, () => next() & 255)),
      );
      messages.forEach((message, lane) => {
        laneMemory.set(message, laneStart(lane));
        padLane(lane, length);
      });
      hashLanes(blocksOf(length));
      messages.forEach((message, lane) => {
        expect(digestOf(lane), `length ${length}, lane ${lane}`).toBe(
          createHash("sha256").update(message).digest("hex"),
        );
      });
    }
  });

  test("messages of different lengths share a call while their block counts are equal", () => {
    const texts = ["", "a", "abc", "x".repeat(55)];
    texts.forEach((text, lane) => {
      laneMemory.set(Buffer.from(text), laneStart(lane));
      padLane(lane, text.length);
    });
    hashLanes(1);
    texts.forEach((text, lane) => {
      expect(digestOf(lane)).toBe(createHash("sha256").update(text).digest("hex"));
    });
  });

  test("block counts turn where the padding no longer fits", () => {
    expect([0, 55, 56, 63, 64, 119, 120].map(blocksOf)).toEqual([1, 1, 2, 2, 2, 2, 3]);
  });
});

import { DecodeError } from "@keel/proto/bytes/decode-error";
import { describe, expect, it } from "vitest";
import { splitIntoParts } from "../wire/part-set.ts";
import type { BlockID } from "../wire/types.ts";
import { decodeLogRecord, encodeLogRecord, type LogRecord } from "./wal-records.ts";

const blockId: BlockID = {
  hash: new Uint8Array(32).fill(1),
  partSetHeader: { total: 2, hash: new Uint8Array(32).fill(2) },
};
const timestamp = { seconds: 1_700_000_000n, nanos: 5 };
const signature = new Uint8Array(64).fill(3);
const height = 2 ** 40 + 7;
const [part] = splitIntoParts(new Uint8Array(100)).parts;
if (part === undefined) throw new Error("no part");

const records: readonly LogRecord[] = [
  { type: "proposal", proposal: { height, round: 3, polRound: -1, blockId, timestamp, signature } },
  { type: "part", height, round: 3, part },
  {
    type: "vote",
    vote: {
      type: "precommit",
      height,
      round: 3,
      blockId,
      timestamp,
      validatorAddress: new Uint8Array(20).fill(4),
      validatorIndex: 2,
      signature,
      extension: Uint8Array.of(1),
      extensionSignature: signature,
    },
  },
  { type: "timer", timer: { height, round: 9, step: "precommit" } },
  { type: "wanted", height, round: 1, blockId },
  { type: "built", height, round: 1, blockId },
  { type: "checked", height, valid: true, blockId },
  { type: "checked", height, valid: false, blockId },
];

describe("log records", () => {
  it("come back as they were written", () => {
    for (const record of records) expect(decodeLogRecord(encodeLogRecord(record))).toEqual(record);
  });

  it("begin with kind, height and round", () => {
    const timer = encodeLogRecord({
      type: "timer",
      timer: { height: 258, round: 3, step: "prevote" },
    });
    expect(Buffer.from(timer).toString("hex")).toBe("0400000000000001020000000301");
  });

  it("cut short or of an unknown kind throw nothing but decode errors", () => {
    for (const record of records) {
      const bytes = encodeLogRecord(record);
      for (let length = 0; length < bytes.length; length++) {
        try {
          // A vote without its extension is a vote: a shorter record may be one, but never the same.
          expect(decodeLogRecord(bytes.subarray(0, length))).not.toEqual(record);
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }
    }
    expect(() => decodeLogRecord(new Uint8Array(20).fill(99))).toThrow("unknown kind 99");
  });
});

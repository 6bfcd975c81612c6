import { DecodeError } from "@keel/proto/bytes/decode-error";
import { bytesToHexLower, hexToBytes } from "@keel/proto/bytes/hex";
import { describe, expect, test } from "vitest";
import { blockIdFromCore, blockIdMessage, blockIdToCore, zeroBlockId } from "./block-id.ts";
import {
  bytes,
  count64,
  embedded,
  fixedCount64,
  int64,
  integer,
  repeatedBytes,
  text,
  uint64,
} from "./fields.ts";
import { message } from "./message.ts";
import { voteSignBytes } from "./sign-bytes.ts";
import { blockIdOf, chainId, makeValidators, signVote } from "./testing/world.ts";
import { durationMessage, timestampMessage } from "./timestamp.ts";
import { voteMessage } from "./vote.ts";
import { Writer } from "./writer.ts";

interface Inner {
  readonly count: number;
}
interface Outer {
  readonly height: number;
  readonly name: string;
  readonly inner: Inner;
  readonly list: readonly Uint8Array[];
  readonly signed: bigint;
  readonly data: Uint8Array;
  readonly fixed: number;
  readonly round: number;
  readonly big: bigint;
}

const inner = message<Inner>("Inner", { count: count64(1) });
const outer = message<Outer>(
  "Outer",
  {
    height: count64(1),
    name: text(2, 8),
    inner: embedded(3, inner),
    list: repeatedBytes(4, 3),
    signed: int64(5),
    data: bytes(6, 4),
    fixed: fixedCount64(7),
    round: integer(8, -1, 100),
    big: uint64(9),
  },
  { bytesMax: 100 },
);

const blank: Outer = {
  height: 0,
  name: "",
  inner: { count: 0 },
  list: [],
  signed: 0n,
  data: new Uint8Array(0),
  fixed: 0,
  round: 0,
  big: 0n,
};

function codeOf(hex: string): string {
  try {
    outer.decode(hexToBytes(hex));
    return "accepted";
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
}

describe("protobuf as gogoproto writes it", () => {
  test("zero scalars are omitted, embedded messages are not", () => {
    expect(bytesToHexLower(outer.encode(blank))).toBe("1a00");
    expect(outer.decode(hexToBytes("1a00"))).toEqual(blank);
  });

  test("every kind of field", () => {
    const value: Outer = {
      height: 300,
      name: "é",
      inner: { count: 1 },
      list: [new Uint8Array(0), Uint8Array.of(9)],
      signed: -1n,
      data: Uint8Array.of(1, 2),
      fixed: 258,
      round: -1,
      big: (1n << 64n) - 1n,
    };
    const hex = [
      "08ac02",
      "1202c3a9",
      "1a020801",
      "2200220109",
      "28ffffffffffffffffff01",
      "32020102",
      "390201000000000000",
      "40ffffffffffffffffff01",
      "48ffffffffffffffffff01",
    ].join("");
    expect(bytesToHexLower(outer.encode(value))).toBe(hex);
    expect(outer.decode(hexToBytes(hex))).toEqual(value);
  });

  const refused: readonly [string, string, string][] = [
    ["a missing embedded message", "", "not-canonical"],
    ["an unknown field", "1a005001", "unknown-field"],
    ["field 0", "1a000001", "unknown-field"],
    ["another wire type", "0a001a00", "malformed"],
    ["a group", "0b1a00", "malformed"],
    ["fields in descending order", "1a000801", "not-canonical"],
    ["a scalar twice", "080108011a00", "not-canonical"],
    ["an embedded message twice", "1a001a00", "not-canonical"],
    ["a written zero", "08001a00", "not-canonical"],
    ["written empty bytes", "1a003200", "not-canonical"],
    ["a long varint", "0881001a00", "not-canonical"],
    ["a long tag", "8800011a00", "not-canonical"],
    ["a varint of eleven bytes", "08ffffffffffffffffffff011a00", "out-of-range"],
    ["a varint of 65 bits", "08ffffffffffffffffff021a00", "out-of-range"],
    ["a negative height", "08ffffffffffffffffff011a00", "out-of-range"],
    ["a height above 2^53", "0880808080808080101a00", "out-of-range"],
    ["a cut varint", "08", "truncated"],
    ["a cut length", "1202c3", "truncated"],
    ["a cut fixed64", "1a003901", "truncated"],
    ["a length that overflows", "12ffffffffffffffffff01", "truncated"],
    ["a nested message that reaches past its parent", "1a0308", "truncated"],
    ["text that is not UTF-8", "1202c3281a00", "malformed"],
    ["text above its bound", "12096161616161616161611a00", "too-large"],
    ["bytes above their bound", "1a0032050102030405", "too-large"],
    ["a list above its bound", "1a002200220022002200", "too-large"],
    ["a round below its bound", "1a0040feffffffffffffffff01", "out-of-range"],
    ["a whole above its bound", `1a00${"2200".repeat(60)}`, "too-large"],
  ];
  test.each(refused)("%s is refused", (_, hex, code) => {
    expect(codeOf(hex)).toBe(code);
  });

  test("encoding what no field can hold is a programming error", () => {
    for (const wrong of [{ height: -1 }, { height: 1.5 }, { height: 2 ** 53 }, { round: -2 }]) {
      expect(() => outer.encode({ ...blank, ...wrong })).toThrow(RangeError);
    }
    expect(() => outer.encode({ ...blank, signed: 1n << 63n })).toThrow(RangeError);
    expect(() => outer.encode({ ...blank, big: -1n })).toThrow(RangeError);
  });

  test("decoded bytes do not follow the input, and are plain arrays", () => {
    const input = Buffer.from("1a0032020102", "hex");
    const { data } = outer.decode(input);
    input.fill(0xff);
    expect(data).toEqual(Uint8Array.of(1, 2));
    expect(Object.getPrototypeOf(data)).toBe(Uint8Array.prototype);
  });

  test("length prefixes of every width land before what they measure", () => {
    for (const size of [0, 127, 128, 16_383, 16_384, 70_000]) {
      const writer = new Writer(1);
      writer.byte(0xee);
      writer.delimited(() => writer.raw(new Uint8Array(size).fill(5)));
      const written = writer.finish();
      const prefix = size < 128 ? 1 : size < 16_384 ? 2 : 3;
      expect(written).toHaveLength(1 + prefix + size);
      expect(written.subarray(1 + prefix).every((byte) => byte === 5)).toBe(true);
    }
  });

  test("content that ends with the buffer is kept, whatever its length", () => {
    for (let room = 1; room <= 300; room++) {
      for (const size of [1, 3, 127, 128, 200]) {
        const writer = new Writer(room);
        const place = writer.open();
        for (let i = 0; i < size; i++) writer.byte(5);
        writer.close(place);
        const prefix = size < 128 ? [size] : [(size % 128) + 128, 1];
        expect([...writer.finish()]).toEqual([...prefix, ...Array(size).fill(5)]);
      }
    }
  });
});

describe("times", () => {
  test("durations keep one sign and Go's range", () => {
    for (const nanos of [0n, 1n, -1n, 172_800_000_000_000n, -1_500_000_000n, (1n << 63n) - 1n]) {
      expect(durationMessage.decode(durationMessage.encode(nanos))).toBe(nanos);
    }
    // One second and minus one nanosecond.
    expect(() => durationMessage.decode(hexToBytes("080110ffffffffffffffffff01"))).toThrow(
      DecodeError,
    );
    expect(() => durationMessage.decode(hexToBytes("08ffffffffffffffff7f"))).toThrow(DecodeError);
  });

  test("timestamps outside years 1 to 9999 or with odd nanoseconds are refused", () => {
    // Before year 1, negative nanoseconds, a full second of nanoseconds.
    for (const hex of ["08ff91b8c398feffffff01", "10ffffffffffffffffff01", "108094ebdc03"]) {
      expect(() => timestampMessage.decode(hexToBytes(hex))).toThrow(DecodeError);
    }
  });
});

describe("block ids", () => {
  test("the core's name leads back to the block id", () => {
    const id = blockIdOf("block");
    const name = blockIdToCore(id);
    expect(name).toMatch(/^[0-9A-F]+$/);
    expect(blockIdFromCore(name)).toEqual(id);
    expect(blockIdToCore(zeroBlockId)).toBeNull();
    expect(blockIdFromCore(null)).toBe(zeroBlockId);
    for (const wrong of ["", "00", (name ?? "").toLowerCase(), `${name}00`, "zz"]) {
      expect(() => blockIdFromCore(wrong), wrong).toThrow(DecodeError);
    }
  });

  test("hashes of another length are refused", () => {
    expect(() => blockIdMessage.decode(hexToBytes("0a01001200"))).toThrow(DecodeError);
  });
});

describe("votes by themselves", () => {
  const world = makeValidators([1n]);
  const vote = signVote(world, { index: 0 });

  test("what breaks a rule does not decode", () => {
    const none = new Uint8Array(0);
    const half = { hash: vote.blockId.hash, partSetHeader: zeroBlockId.partSetHeader };
    const broken = [
      { height: 0 },
      { blockId: half },
      { validatorAddress: none },
      { signature: none },
      { signature: new Uint8Array(65) },
      { extension: Uint8Array.of(1) },
      { type: "prevote" as const, extensionSignature: Uint8Array.of(1) },
      { blockId: zeroBlockId, extensionSignature: Uint8Array.of(1) },
    ];
    for (const change of broken) {
      expect(() => voteMessage.decode(voteMessage.encode({ ...vote, ...change }))).toThrow(
        DecodeError,
      );
    }
    expect(voteMessage.decode(voteMessage.encode(vote))).toEqual(vote);
  });

  test("neither extension nor validator is in a vote's sign bytes", () => {
    const other = {
      ...vote,
      extension: Uint8Array.of(1),
      validatorIndex: 3,
      validatorAddress: new Uint8Array(20),
    };
    expect(voteSignBytes(chainId, other)).toEqual(voteSignBytes(chainId, vote));
  });
});

import { DecodeError } from "@keel/proto/bytes/decode-error";
import { describe, expect, it } from "vitest";
import { splitIntoParts } from "../wire/part-set.ts";
import type { ExtendedCommit, Vote } from "../wire/types.ts";
import {
  type BlockSyncMessage,
  type ConsensusMessage,
  decodeBlockSyncMessage,
  decodeConsensusMessage,
  decodeMempoolMessage,
  encodeBlockSyncMessage,
  encodeConsensusMessage,
  encodeMempoolMessage,
  type RoundStatus,
} from "./messages.ts";

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);
const partSet = splitIntoParts(bytes(150_000, 3));
const blockId = { hash: bytes(32, 7), partSetHeader: partSet.header };
const timestamp = { seconds: 1_700_000_000n, nanos: 5 };
const vote: Vote = {
  type: "precommit",
  height: 12,
  round: 1,
  blockId,
  timestamp,
  validatorAddress: bytes(20, 1),
  validatorIndex: 3,
  signature: bytes(64, 9),
  extension: bytes(40, 2),
  extensionSignature: bytes(64, 8),
};
const commit: ExtendedCommit = {
  height: 12,
  round: 1,
  blockId,
  extendedSignatures: [
    {
      flag: "commit",
      validatorAddress: bytes(20, 1),
      timestamp,
      signature: bytes(64, 9),
      extension: bytes(0, 0),
      extensionSignature: bytes(64, 4),
    },
  ],
};
const status: RoundStatus = {
  type: "status",
  height: 2 ** 40,
  round: 2,
  step: "precommit",
  hasProposal: true,
  parts: {
    header: { total: 9, hash: bytes(32, 5) },
    bits: [true, false, true, true, false, false, false, false, true],
  },
  commitRound: -1,
  votes: [{ round: 2, kind: "prevote", hasQuorum: true, bits: [true, false, true] }],
  lastCommitRound: 0,
  lastPrecommits: [true, true, false],
};

const consensus: readonly ConsensusMessage[] = [
  {
    type: "proposal",
    proposal: { height: 12, round: 1, polRound: 0, blockId, timestamp, signature: bytes(64, 1) },
  },
  { type: "part", height: 12, round: 1, part: partSet.parts[2] as (typeof partSet.parts)[number] },
  { type: "vote", vote },
  { type: "commit", commit },
  status,
  {
    ...status,
    parts: null,
    votes: [],
    lastCommitRound: -1,
    lastPrecommits: [],
    hasProposal: false,
  },
];
const blockSync: readonly BlockSyncMessage[] = [
  { type: "statusRequest" },
  { type: "status", base: 1, height: 300 },
  { type: "blockRequest", height: 128 },
  { type: "block", height: 12, block: bytes(1000, 6), commit },
  { type: "noBlock", height: 0 },
];

function refusal(decode: () => unknown): string {
  try {
    decode();
  } catch (error) {
    if (error instanceof DecodeError) return error.code;
    throw error;
  }
  return "accepted";
}

describe("peer messages", () => {
  it("come back as they were sent", () => {
    for (const message of consensus)
      expect(decodeConsensusMessage(encodeConsensusMessage(message))).toEqual(message);
    for (const message of blockSync)
      expect(decodeBlockSyncMessage(encodeBlockSyncMessage(message))).toEqual(message);
    const txs = [bytes(1, 1), bytes(300, 2)];
    expect(decodeMempoolMessage(encodeMempoolMessage({ type: "txs", txs }))).toEqual({
      type: "txs",
      txs,
    });
    const peers = ["ab".repeat(20), "01".repeat(20)];
    expect(decodeMempoolMessage(encodeMempoolMessage({ type: "peers", peers }))).toEqual({
      type: "peers",
      peers,
    });
  });

  it("has the pinned bytes of a status", () => {
    const small: RoundStatus = {
      ...status,
      height: 300,
      parts: { header: { total: 2, hash: bytes(32, 5) }, bits: [true, false] },
    };
    expect(Buffer.from(encodeConsensusMessage(small)).toString("hex")).toBe(
      `05ac02020301000103030120${"05".repeat(32)}0201010200010305`,
    );
  });

  it("are refused cut short anywhere, with anything behind them, and with an unknown tag", () => {
    for (const message of consensus) {
      const whole = encodeConsensusMessage(message);
      const step = Math.max(1, Math.floor(whole.length / 200));
      for (let cut = 0; cut < whole.length; cut += step) {
        expect(refusal(() => decodeConsensusMessage(whole.subarray(0, cut)))).not.toBe("accepted");
      }
      expect(refusal(() => decodeConsensusMessage(Uint8Array.from([...whole, 0])))).toBe(
        "malformed",
      );
    }
    expect(refusal(() => decodeConsensusMessage(bytes(3, 0x77)))).toBe("malformed");
    expect(refusal(() => decodeBlockSyncMessage(bytes(1, 0)))).toBe("malformed");
    expect(refusal(() => decodeMempoolMessage(bytes(2, 9)))).toBe("malformed");
  });

  it("never throw anything but a refusal on changed bytes", () => {
    let state = 1;
    const random = (below: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state % below;
    };
    for (const whole of consensus.map(encodeConsensusMessage)) {
      for (let i = 0; i < 300; i++) {
        const changed = whole.slice(0, 4096);
        changed[random(changed.length)] = random(256);
        refusal(() => decodeConsensusMessage(changed));
        refusal(() => decodeBlockSyncMessage(changed));
        refusal(() => decodeMempoolMessage(changed));
      }
    }
  });

  it("cannot announce more than is there: counts are checked before anything is allocated", () => {
    // A status claiming 10,000 precommits in two bytes, a batch claiming 4096 transactions, a bit array with stray bits.
    expect(
      refusal(() => decodeConsensusMessage(Uint8Array.from([5, 1, 0, 0, 0, 0, 0, 0x90, 0x4e]))),
    ).toBe("truncated");
    expect(
      refusal(() => decodeConsensusMessage(Uint8Array.from([5, 1, 0, 0, 0, 0, 0, 0x91, 0x4e]))),
    ).toBe("out-of-range");
    expect(refusal(() => decodeMempoolMessage(Uint8Array.from([1, 0x80, 0x20])))).toBe("truncated");
    expect(refusal(() => decodeMempoolMessage(Uint8Array.from([1, 0x81, 0x20])))).toBe(
      "out-of-range",
    );
    expect(
      refusal(() => decodeConsensusMessage(Uint8Array.from([5, 1, 0, 0, 0, 0, 0, 2, 0xff, 0, 0]))),
    ).toBe("not-canonical");
  });
});

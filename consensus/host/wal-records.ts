/**
 * What the driver writes into the log: one kind byte and a body of fixed big-endian numbers and wire encodings. A record is an
 * input of the round machine, or what the host needs to answer it again after a restart (block parts, verdicts). Certificates are
 * not logged: nothing is ever signed because of one, and peers give it again.
 */
import { DecodeError } from "@keel/proto/bytes/decode-error";
import type { Height, Round, TimerId } from "../core/types.ts";
import { blockIdMessage } from "../wire/block-id.ts";
import { partMessage } from "../wire/part-set.ts";
import type { BlockID, Part, Proposal, Vote } from "../wire/types.ts";
import { proposalMessage, voteMessage } from "../wire/vote.ts";

export type LogRecord =
  | { readonly type: "proposal"; readonly proposal: Proposal }
  | { readonly type: "part"; readonly height: Height; readonly round: Round; readonly part: Part }
  | { readonly type: "vote"; readonly vote: Vote }
  | { readonly type: "timer"; readonly timer: TimerId }
  /** A block's parts are collected from here on, though no proposal in the log names them (yet). */
  | {
      readonly type: "wanted";
      readonly height: Height;
      readonly round: Round;
      readonly blockId: BlockID;
    }
  | {
      readonly type: "built";
      readonly height: Height;
      readonly round: Round;
      readonly blockId: BlockID;
    }
  | {
      readonly type: "checked";
      readonly height: Height;
      readonly valid: boolean;
      readonly blockId: BlockID;
    };

const kinds = {
  proposal: 1,
  part: 2,
  vote: 3,
  timer: 4,
  wanted: 5,
  built: 6,
  checked: 7,
} as const;
const timerSteps = ["propose", "prevote", "precommit"] as const;

/** Kind byte, height (8 B), a number (4 B: round, or 1/0 for a verdict), body. */
const placeBytes = 13;

export function encodeLogRecord(record: LogRecord): Uint8Array {
  switch (record.type) {
    case "proposal":
      return place(
        "proposal",
        record.proposal.height,
        record.proposal.round,
        proposalMessage.encode(record.proposal),
      );
    case "vote":
      return place("vote", record.vote.height, record.vote.round, voteMessage.encode(record.vote));
    case "part":
      return place("part", record.height, record.round, partMessage.encode(record.part));
    case "timer":
      return place(
        "timer",
        record.timer.height,
        record.timer.round,
        Uint8Array.of(timerSteps.indexOf(record.timer.step)),
      );
    case "checked":
      return place(
        "checked",
        record.height,
        record.valid ? 1 : 0,
        blockIdMessage.encode(record.blockId),
      );
    case "wanted":
    case "built":
      return place(record.type, record.height, record.round, blockIdMessage.encode(record.blockId));
  }
}

function place(
  kind: keyof typeof kinds,
  height: number,
  value: number,
  body: Uint8Array,
): Uint8Array {
  const bytes = new Uint8Array(placeBytes + body.length);
  const view = new DataView(bytes.buffer);
  bytes[0] = kinds[kind];
  view.setBigUint64(1, BigInt(height));
  view.setUint32(9, value);
  bytes.set(body, placeBytes);
  return bytes;
}

/** Throws DecodeError: a log whose checksums hold but whose records do not decode was written by another version. */
export function decodeLogRecord(bytes: Uint8Array): LogRecord {
  if (bytes.length < placeBytes)
    throw new DecodeError(
      "truncated",
      `log record: expected ${placeBytes} bytes, got ${bytes.length}`,
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const height = Number(view.getBigUint64(1));
  const value = view.getUint32(9);
  const body = bytes.subarray(placeBytes);
  switch (bytes[0]) {
    case kinds.proposal:
      return { type: "proposal", proposal: proposalMessage.decode(body) };
    case kinds.vote:
      return { type: "vote", vote: voteMessage.decode(body) };
    case kinds.part:
      return { type: "part", height, round: value, part: partMessage.decode(body) };
    case kinds.timer: {
      const step = timerSteps[body[0] ?? timerSteps.length];
      if (step === undefined)
        throw new DecodeError("invalid", `log record: unknown timer step ${body[0]}`);
      return { type: "timer", timer: { height, round: value, step } };
    }
    case kinds.checked:
      return { type: "checked", height, valid: value === 1, blockId: blockIdMessage.decode(body) };
    case kinds.wanted:
      return { type: "wanted", height, round: value, blockId: blockIdMessage.decode(body) };
    case kinds.built:
      return { type: "built", height, round: value, blockId: blockIdMessage.decode(body) };
    default:
      throw new DecodeError("invalid", `log record: unknown kind ${bytes[0]}`);
  }
}

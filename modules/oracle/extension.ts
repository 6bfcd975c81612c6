/** The vote extension payload: encoding, and what counts as malformed. Whatever decodes is accepted; unknown feeds are ignored later. */

import { DecodeError } from "@keel/proto/bytes/decode-error";
import { decodeUvarint } from "@keel/proto/bytes/varint";
import { OracleVote, type SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { assert } from "../kit/errors.ts";
import {
  EXTENSION_BYTES_MAX,
  FEEDS_MAX,
  INCLUSION_LIST_MAX,
  MANTISSA_LIMIT,
  TX_KEY_BYTES,
} from "./limits.ts";
import { listFault, listOf } from "./lists/keys.ts";
import { surfacesFault } from "./surface/votes.ts";

/** A price a validator is ready to vote for, at the feed's exponent. */
export interface PriceReport {
  readonly feedId: number;
  readonly mantissa: bigint;
  readonly confidence: bigint;
}

/** Tag of field 2 and two bytes of length. */
const LIST_FRAME_BYTES = 3;

/**
 * Bytes for ExtendVote; reports and surfaces may come in any order, each feed and surface once. Nothing: empty bytes. Of `transactions`, keys as in
 * lists/keys.ts, each once, the first ones that fit: prices and surfaces go before them.
 */
export function encodeExtension(
  reports: readonly PriceReport[],
  surfaceVotes: readonly SurfaceVote[] = [],
  transactions: readonly string[] = [],
): Uint8Array {
  const feeds = [...reports].sort((a, b) => a.feedId - b.feedId).slice(0, FEEDS_MAX);
  for (let i = 1; i < feeds.length; i++) {
    assert(feeds[i - 1]?.feedId !== feeds[i]?.feedId, "a feed was reported twice");
  }
  const surfaces = [...surfaceVotes].sort((a, b) => a.surfaceId - b.surfaceId);
  const vote = {
    feeds: feeds.map((feed) => ({ ...feed })),
    transactions: new Uint8Array(0),
    surfaces,
  };
  const bytes = OracleVote.encode(vote).finish();
  if (transactions.length === 0) return bytes;
  let room = EXTENSION_BYTES_MAX - LIST_FRAME_BYTES - bytes.length;
  const fitting: string[] = [];
  for (const key of transactions) {
    room -= TX_KEY_BYTES;
    if (room < 0 || fitting.length >= INCLUSION_LIST_MAX) break;
    fitting.push(key);
  }
  return OracleVote.encode({ ...vote, transactions: listOf(fitting) }).finish();
}

/** The vote, or in one sentence why the bytes are malformed. Never throws. */
export function decodeExtension(
  bytes: Uint8Array,
): { readonly vote: OracleVote } | { readonly fault: string } {
  if (bytes.length > EXTENSION_BYTES_MAX) {
    return { fault: `expected at most ${EXTENSION_BYTES_MAX} bytes, got ${bytes.length}` };
  }
  if (!isWellFormed(bytes)) return { fault: "not an OracleVote" };
  let vote: OracleVote;
  try {
    vote = OracleVote.decode(bytes);
  } catch {
    return { fault: "not an OracleVote" };
  }
  let last = 0;
  for (const { feedId, mantissa, confidence } of vote.feeds) {
    if (feedId <= last)
      return { fault: `expected ascending feed ids, got ${feedId} after ${last}` };
    last = feedId;
    if (mantissa <= 0n || mantissa >= MANTISSA_LIMIT || confidence >= MANTISSA_LIMIT) {
      return { fault: `feed ${feedId}: expected a positive mantissa below 2^63` };
    }
  }
  const fault = listFault(vote.transactions, INCLUSION_LIST_MAX) ?? surfacesFault(vote.surfaces);
  return fault === null ? { vote } : { fault };
}

/**
 * Every field complete, in the vote and in all its parts, and no groups: a decoder follows nested groups by recursion, and whether deep
 * nesting still decodes would depend on the stack of the node that tries.
 */
function isWellFormed(bytes: Uint8Array): boolean {
  try {
    return walk(bytes, 0, bytes.length, VOTE);
  } catch (error) {
    if (error instanceof DecodeError) return false;
    throw error;
  }
}

/** Fields that hold messages, and those messages. */
interface Shape {
  readonly [field: number]: Shape;
}

const LEAF: Shape = {};
const VOTE: Shape = { 1: LEAF, 4: { 5: LEAF } };

function walk(bytes: Uint8Array, from: number, to: number, shape: Shape): boolean {
  let at = from;
  while (at < to) {
    const tag = decodeUvarint(bytes, at);
    at = tag.next;
    switch (tag.value & 7n) {
      case 0n:
        at = decodeUvarint(bytes, at).next;
        break;
      case 1n:
        at += 8;
        break;
      case 5n:
        at += 4;
        break;
      case 2n: {
        const length = decodeUvarint(bytes, at);
        at = length.next;
        if (length.value > BigInt(to - at)) return false;
        const end = at + Number(length.value);
        const inner = shape[Number(tag.value >> 3n)];
        if (inner !== undefined && !walk(bytes, at, end, inner)) return false;
        at = end;
        break;
      }
      default:
        return false;
    }
    if (at > to) return false;
  }
  return true;
}

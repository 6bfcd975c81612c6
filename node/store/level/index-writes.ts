/** What indexing one block writes to `index.db`: transactions by place and hash, and the entries of all searchable attributes. */
import { txHash } from "@keel/consensus/wire/block";
import { bytesToLatin1 } from "@keel/proto/bytes/compare";
import type { Database, Write } from "../types.ts";
import { eventsOfResult, scanResponse, succeeds } from "./encoded-response.ts";
import { EventEntries, eventPrefixes, type Place } from "./event-keys.ts";
import { bytesKey, heightKey, placeKey, prefixes, singleKey } from "./keys.ts";
import { openRecord, type RecordReader, sealRecord } from "./records.ts";

/** A committed block in few large arrays, which go to another thread for next to nothing. */
export interface BlockToIndex {
  readonly height: number;
  /** All transactions, one after another, */
  readonly txs: Uint8Array;
  /** and the length of each. */
  readonly lengths: Uint32Array;
  /** The encoded FinalizeBlock response. */
  readonly response: Uint8Array;
}

export const heightRecordKey: Uint8Array = singleKey(prefixes.indexHeight);

export function packTxs(txs: readonly Uint8Array[]): Pick<BlockToIndex, "txs" | "lengths"> {
  const lengths = Uint32Array.from(txs, (tx) => tx.length);
  const joined = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0));
  let at = 0;
  for (const tx of txs) {
    joined.set(tx, at);
    at += tx.length;
  }
  return { txs: joined, lengths };
}

/** Writes one block, unsynced and whole or not at all. Heights must come in order. */
export async function indexBlock(database: Database, block: BlockToIndex): Promise<void> {
  const { height, response, lengths } = block;
  const { events, results } = scanResponse(response);
  const batch: Write[] = [
    { key: heightKey(prefixes.blockIndexed, height), value: nothing },
    { key: heightRecordKey, value: sealRecord((writer) => writer.varint(height), 16) },
  ];
  const ofBlock = new EventEntries(response);
  ofBlock.add(events, 0);
  for (const write of ofBlock.writes(eventPrefixes.block, height)) batch.push(write);
  const ofTxs = new EventEntries(response);
  const succeeded = new Set<string>();
  let at = 0;
  for (const [index, length] of lengths.entries()) {
    const result = results[index];
    if (result === undefined)
      throw new Error(`block ${height}: no result for transaction ${index}`);
    const tx = block.txs.subarray(at, (at += length));
    const hash = txHash(tx);
    const encoded = response.subarray(result.start, result.end);
    batch.push({
      key: placeKey(prefixes.txByPlace, height, index),
      value: encodeTx(hash, tx, encoded),
    });
    ofTxs.add(eventsOfResult(response, result), index);
    // The same bytes may be included again and fail (a replay refused by its sequence): a success stays what the hash finds.
    const name = bytesToLatin1(hash);
    if (result.succeeded) succeeded.add(name);
    else if (succeeded.has(name) || (await hasSuccess(database, hash))) continue;
    batch.push({
      key: bytesKey(prefixes.txByHash, hash),
      value: encodePlace({ height, index }),
    });
  }
  for (const write of ofTxs.writes(eventPrefixes.tx, height)) batch.push(write);
  await database.write(batch, "buffered");
}

const nothing: Uint8Array = new Uint8Array();

async function hasSuccess(database: Database, hash: Uint8Array): Promise<boolean> {
  const place = await placeOf(database, hash);
  const reader = place === null ? null : await recordAt(database, place);
  if (reader === null) return false;
  return succeeds(splitTx(reader).encodedResult, 0);
}

/** Where the inclusion of this hash that counts is. */
export async function placeOf(database: Database, hash: Uint8Array): Promise<Place | null> {
  const record = await database.get(bytesKey(prefixes.txByHash, hash));
  if (record === null) return null;
  const reader = openRecord("place of a transaction", record);
  return { height: reader.varint(), index: reader.varint() };
}

export async function recordAt(
  database: Database,
  { height, index }: Place,
): Promise<RecordReader | null> {
  const record = await database.get(placeKey(prefixes.txByPlace, height, index));
  return record === null ? null : openRecord(`transaction ${index} of block ${height}`, record);
}

export function splitTx(reader: RecordReader): {
  readonly hash: Uint8Array;
  readonly tx: Uint8Array;
  readonly encodedResult: Uint8Array;
} {
  return { hash: reader.bytes(32), tx: reader.lengthPrefixed(), encodedResult: reader.rest() };
}

function encodePlace({ height, index }: Place): Uint8Array {
  return sealRecord((writer) => {
    writer.varint(height);
    writer.varint(index);
  }, 32);
}

function encodeTx(hash: Uint8Array, tx: Uint8Array, encodedResult: Uint8Array): Uint8Array {
  return sealRecord(
    (writer) => {
      writer.raw(hash);
      writer.varint(tx.length);
      writer.raw(tx);
      writer.raw(encodedResult);
    },
    tx.length + encodedResult.length + 64,
  );
}

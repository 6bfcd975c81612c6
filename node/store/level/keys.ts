/** Key layout of the four databases: one byte says what the record is, then fixed-width big-endian numbers, so that ranges scan in order. */

/** Prefixes, each used in one database only: 0x0… in `application.db`, 0x1… and 0x2… in `chain.db`, 0x3… in `index.db`, 0x4… in `market.db`. A removed one is never used again. */
export const prefixes = {
  /** Single records: latest version, changelog base. */
  meta: 0x01,
  /** height -> changelog. */
  changelog: 0x02,
  /** height -> FinalizeBlock response written with the application's commit. */
  appResponse: 0x03,
  /** height, chunk -> snapshot chunk. */
  snapshotChunk: 0x04,
  /** height -> manifest; its presence makes the snapshot whole. */
  snapshotManifest: 0x05,
  /** Consensus state: one record. */
  chainState: 0x10,
  /** height -> validator set that signs it. */
  validators: 0x11,
  /** height from which they hold -> consensus parameters. */
  consensusParams: 0x12,
  /** height -> FinalizeBlock response written before the application's commit. */
  response: 0x13,
  /** Single record: base and height of the block store. */
  blockRange: 0x20,
  /** height -> block id and block bytes. */
  block: 0x21,
  /** hash -> height. */
  blockHash: 0x22,
  /** height -> commit found in the next block. */
  blockCommit: 0x23,
  /** height -> commit seen by this node, with extensions. */
  seenCommit: 0x24,
  /** Single record: height the index is complete to. */
  indexHeight: 0x30,
  /** hash -> height, index of the inclusion that counts. */
  txByHash: 0x31,
  /** height, index -> hash, transaction, result. */
  txByPlace: 0x32,
  /** height -> nothing: this block is indexed. */
  blockIndexed: 0x35,
  /** tag, value, height -> indexes of the transactions that have it. */
  txByEvent: 0x36,
  /** tag, value, height -> index 0. */
  blockByEvent: 0x37,
  /** Single record: height the history has, and since which height nothing is missing. */
  marketHeight: 0x40,
  /** market, resolution, start -> candle. */
  candle: 0x41,
  /** height, number -> trade or fill. */
  print: 0x42,
  /** market, height, number -> nothing: a trade shown to everybody. */
  printByMarket: 0x43,
  /** account, height, number -> which of its parties. */
  printByAccount: 0x44,
  /** market, time -> funding rate. */
  fundingRate: 0x45,
  /** symbol -> market. */
  marketBySymbol: 0x46,
  /** market -> since when it is gone, of those with records left. */
  goneMarket: 0x47,
} as const;

export type Prefix = (typeof prefixes)[keyof typeof prefixes];

export function singleKey(prefix: Prefix, name: number = 0): Uint8Array {
  return Uint8Array.of(prefix, name);
}

export function heightKey(prefix: Prefix, height: number): Uint8Array {
  const key = Buffer.alloc(9);
  key[0] = prefix;
  key.writeBigUInt64BE(BigInt(height), 1);
  return key;
}

/** `height`, then a number below 2^32 (a chunk, a transaction). */
export function placeKey(prefix: Prefix, height: number, index: number): Uint8Array {
  const key = Buffer.alloc(13);
  key[0] = prefix;
  key.writeBigUInt64BE(BigInt(height), 1);
  key.writeUInt32BE(index, 9);
  return key;
}

export function bytesKey(prefix: Prefix, bytes: Uint8Array): Uint8Array {
  const key = Buffer.alloc(1 + bytes.length);
  key[0] = prefix;
  key.set(bytes, 1);
  return key;
}

/** Height in a key made by `heightKey` or `placeKey`. */
export function heightOfKey(key: Uint8Array): number {
  return Number(Buffer.from(key.buffer, key.byteOffset, key.byteLength).readBigUInt64BE(1));
}

/** Second number of a key made by `placeKey`. */
export function indexOfKey(key: Uint8Array): number {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).readUInt32BE(9);
}

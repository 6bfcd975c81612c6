/** Snapshots in `application.db`: chunks first, then the manifest that makes them count. The chunks are also what peers get. */

import type { Snapshot } from "@keel/consensus/host/ports";
import { concatBytes, equalBytes } from "@keel/proto/bytes/compare";
import { sha256 } from "@keel/proto/bytes/sha256";
import type { Version } from "../commit-trees.ts";
import { snapshotChunksMax } from "../limits.ts";
import { appHashOf } from "../multistore.ts";
import { encodeSnapshot, SnapshotDecoder, snapshotFormat } from "../snapshot-codec.ts";
import { type Database, StoreCorrupt, type Write } from "../types.ts";
import { heightKey, heightOfKey, indexOfKey, placeKey, prefixes } from "./keys.ts";
import { openRecord, sealRecord } from "./records.ts";

export interface SnapshotManifest {
  readonly height: number;
  /** Wall clock of this node when the height was committed, for retention only. */
  readonly committedAtMs: number;
  readonly appHash: Uint8Array;
  /** SHA-256 of each chunk. */
  readonly chunkHashes: readonly Uint8Array[];
}

export function encodeManifest(manifest: SnapshotManifest): Uint8Array {
  return sealRecord((writer) => {
    writer.varint(manifest.height);
    writer.varint(manifest.committedAtMs);
    writer.raw(manifest.appHash);
    writer.varint(manifest.chunkHashes.length);
    for (const hash of manifest.chunkHashes) writer.raw(hash);
  });
}

function decodeManifest(height: number, record: Uint8Array): SnapshotManifest {
  const name = `snapshot manifest of height ${height}`;
  const reader = openRecord(name, record);
  const manifest = {
    height: reader.varint(),
    committedAtMs: reader.varint(),
    appHash: reader.bytes(32).slice(),
    chunkHashes: [] as Uint8Array[],
  };
  for (let count = reader.varint(); count > 0; count--)
    manifest.chunkHashes.push(reader.bytes(32).slice());
  reader.finish();
  if (manifest.height !== height)
    throw new StoreCorrupt(`${name}: it is of height ${manifest.height}`);
  return manifest;
}

/** Whole snapshots, lowest first. */
export async function listManifests(database: Database): Promise<SnapshotManifest[]> {
  const manifests: SnapshotManifest[] = [];
  const range = {
    from: Uint8Array.of(prefixes.snapshotManifest),
    to: Uint8Array.of(prefixes.snapshotManifest + 1),
  };
  for await (const [key, record] of database.range(range)) {
    manifests.push(decodeManifest(heightOfKey(key), record));
  }
  return manifests;
}

/** Null when there is no such chunk. */
export async function readChunk(
  database: Database,
  manifest: SnapshotManifest,
  index: number,
): Promise<Uint8Array | null> {
  const expected = manifest.chunkHashes[index];
  if (expected === undefined) return null;
  const chunk = await database.get(placeKey(prefixes.snapshotChunk, manifest.height, index));
  const name = `snapshot of height ${manifest.height}, chunk ${index}`;
  if (chunk === null) throw new StoreCorrupt(`${name}: missing`);
  if (!equalBytes(sha256(chunk), expected)) throw new StoreCorrupt(`${name}: checksum mismatch`);
  return chunk;
}

/** Trees of a snapshot, their app hash checked against the manifest. */
export async function readSnapshot(
  database: Database,
  manifest: SnapshotManifest,
  stores: readonly string[],
): Promise<Version> {
  const { height } = manifest;
  const decoder = new SnapshotDecoder(stores, height);
  for (let index = 0; index < manifest.chunkHashes.length; index++) {
    const chunk = (await readChunk(database, manifest, index)) as Uint8Array;
    decoder.add(chunk);
  }
  const roots = decoder.finish();
  const appHash = appHashOf(roots);
  if (!equalBytes(appHash, manifest.appHash)) {
    throw new StoreCorrupt(`snapshot of height ${height}: its trees do not give its app hash`);
  }
  return { height, roots, appHash };
}

export interface WriteSnapshotOptions {
  readonly committedAtMs: number;
  /** Asked between chunks; true abandons the snapshot. */
  readonly isStopped: () => boolean;
}

/** Writes one chunk per turn of the event loop. Null when stopped; what it wrote then is swept at the next start. */
export async function writeSnapshot(
  database: Database,
  version: Version,
  { committedAtMs, isStopped }: WriteSnapshotOptions,
): Promise<SnapshotManifest | null> {
  const chunkHashes: Uint8Array[] = [];
  for (const chunk of encodeSnapshot(version.roots)) {
    if (isStopped()) return null;
    if (chunkHashes.length === snapshotChunksMax) {
      throw new Error(
        `snapshot of height ${version.height}: state exceeds ${snapshotChunksMax} chunks`,
      );
    }
    const key = placeKey(prefixes.snapshotChunk, version.height, chunkHashes.length);
    chunkHashes.push(sha256(chunk));
    await database.write([{ key, value: chunk }], "buffered");
  }
  if (isStopped()) return null;
  const { height, appHash } = version;
  const manifest = { height, committedAtMs, appHash, chunkHashes };
  const key = heightKey(prefixes.snapshotManifest, height);
  // Synced: the chunks before it in the same log are then durable too.
  await database.write([{ key, value: encodeManifest(manifest) }], "synced");
  return manifest;
}

/** Manifest first, in the same batch as its chunks: a crash leaves a whole snapshot or none. */
export async function removeSnapshot(
  database: Database,
  manifest: SnapshotManifest,
): Promise<void> {
  await removeChunks(database, manifest.height, manifest.chunkHashes.length, [
    { key: heightKey(prefixes.snapshotManifest, manifest.height), value: null },
  ]);
}

/** Deletes chunks of snapshots that never got their manifest. */
export async function sweepChunks(
  database: Database,
  manifests: readonly SnapshotManifest[],
): Promise<void> {
  const whole = new Set(manifests.map(({ height }) => height));
  const to = Uint8Array.of(prefixes.snapshotChunk + 1);
  for (let from = Uint8Array.of(prefixes.snapshotChunk); ; ) {
    const height = await firstChunkHeight(database, from, to);
    if (height === null) return;
    from = Uint8Array.from(heightKey(prefixes.snapshotChunk, height + 1));
    if (whole.has(height)) continue;
    const last = {
      from: placeKey(prefixes.snapshotChunk, height, 0),
      to: from,
      reverse: true,
      limit: 1,
    };
    for await (const [key] of database.range(last)) {
      await removeChunks(database, height, indexOfKey(key) + 1, []);
    }
  }
}

async function firstChunkHeight(
  database: Database,
  from: Uint8Array,
  to: Uint8Array,
): Promise<number | null> {
  for await (const [key] of database.range({ from, to, limit: 1 })) return heightOfKey(key);
  return null;
}

async function removeChunks(
  database: Database,
  height: number,
  count: number,
  first: readonly Write[],
): Promise<void> {
  const chunks = Array.from({ length: count }, (_, index) => ({
    key: placeKey(prefixes.snapshotChunk, height, index),
    value: null,
  }));
  await database.write([...first, ...chunks], "buffered");
}

/** Metadata is the SHA-256 of each chunk in order; the snapshot's hash is the SHA-256 of that. */
export function offered({ height, chunkHashes }: SnapshotManifest): Snapshot {
  const metadata = concatBytes(...chunkHashes);
  return {
    height,
    format: snapshotFormat,
    chunks: chunkHashes.length,
    hash: sha256(metadata),
    metadata,
  };
}

/** What the application store may forget: snapshots nobody needs to start from, and the changelogs below the lowest one kept. */
import { pruneBatchKeys } from "../limits.ts";
import type { Database, Retention, Write } from "../types.ts";
import { heightKey, prefixes, singleKey } from "./keys.ts";
import { openRecord, sealRecord } from "./records.ts";
import { removeSnapshot, type SnapshotManifest } from "./snapshots.ts";

export interface PruneOptions {
  readonly latestHeight: number;
  readonly nowMs: number;
  readonly retention: Retention;
  readonly snapshotsKeptMin: number;
}

/** Height above which every changelog is there; 0: since the first height. */
export async function readBase(database: Database): Promise<number> {
  const record = await database.get(baseKey);
  return record === null ? 0 : openRecord("base of the changelogs", record).varint();
}

export const baseKey: Uint8Array = singleKey(prefixes.meta, 1);

export function encodeBase(height: number): Uint8Array {
  return sealRecord((writer) => writer.varint(height));
}

/** Returns the manifests that stay, lowest first. The base moves before anything goes. */
export async function pruneApplicationStore(
  database: Database,
  manifests: readonly SnapshotManifest[],
  { latestHeight, nowMs, retention, snapshotsKeptMin }: PruneOptions,
): Promise<SnapshotManifest[]> {
  // A snapshot may go once the next one already lies below everything that must stay provable.
  const isOld = ({ height, committedAtMs }: SnapshotManifest): boolean =>
    height <= latestHeight - retention.heights && committedAtMs <= nowMs - retention.durationMs;
  let first = 0;
  while (manifests.length - first > snapshotsKeptMin) {
    const next = manifests[first + 1];
    if (next === undefined || !isOld(next)) break;
    first++;
  }
  const kept = manifests.slice(first);
  const lowest = kept[0];
  if (lowest === undefined || !isOld(lowest)) return kept;
  const base = await readBase(database);
  if (lowest.height > base) {
    await database.write([{ key: baseKey, value: encodeBase(lowest.height) }], "synced");
  }
  for (const manifest of manifests.slice(0, first)) await removeSnapshot(database, manifest);
  await removeHeights(database, prefixes.changelog, lowest.height + 1);
  await removeHeights(database, prefixes.appResponse, lowest.height + 1);
  return kept;
}

/** Deletes records of `prefix` below `height`. */
async function removeHeights(
  database: Database,
  prefix: typeof prefixes.changelog | typeof prefixes.appResponse,
  height: number,
): Promise<void> {
  const range = {
    from: heightKey(prefix, 0),
    to: heightKey(prefix, height),
    limit: pruneBatchKeys,
  };
  for (;;) {
    const batch: Write[] = [];
    for await (const [key] of database.range(range)) batch.push({ key, value: null });
    if (batch.length === 0) return;
    await database.write(batch, "buffered");
  }
}

/** Brings a version of all stores back from disk: the newest snapshot at or below it, then the changelogs above that. */
import { emptyVersion, type Version } from "../commit-trees.ts";
import { backgroundSliceMs } from "../limits.ts";
import { type Database, StoreCorrupt } from "../types.ts";
import { replayChangelog } from "./changelog.ts";
import { heightKey, heightOfKey, prefixes } from "./keys.ts";
import { readSnapshot, type SnapshotManifest } from "./snapshots.ts";

export interface RebuildOptions {
  readonly stores: readonly string[];
  /** Lowest first. */
  readonly manifests: readonly SnapshotManifest[];
  readonly height: number;
  /** Gets every version on the way, from the snapshot's on, ascending; their roots are not hashed yet. */
  readonly onVersion?: (version: Version) => void;
}

/** With no snapshot below `height` the changelogs must reach down to the first height. */
export async function rebuildVersion(
  database: Database,
  options: RebuildOptions,
): Promise<Version> {
  const { stores, manifests, height, onVersion } = options;
  const manifest = manifests.findLast((one) => one.height <= height);
  let version =
    manifest === undefined ? emptyVersion(stores) : await readSnapshot(database, manifest, stores);
  if (version.height > 0) onVersion?.(version);
  const range = {
    from: heightKey(prefixes.changelog, version.height + 1),
    to: heightKey(prefixes.changelog, height + 1),
  };
  let sliceStart = performance.now();
  for await (const [key, record] of database.range(range)) {
    const found = heightOfKey(key);
    // The first height of a chain may be any; after it none may be missing.
    if (version.height > 0 && found !== version.height + 1) throw missing(version.height + 1);
    const { header, roots } = replayChangelog(record, version.roots, found);
    version = { height: found, roots, appHash: header.appHash };
    onVersion?.(version);
    if (performance.now() - sliceStart > backgroundSliceMs) {
      await new Promise((resolve) => setImmediate(resolve));
      sliceStart = performance.now();
    }
  }
  if (version.height !== height) throw missing(version.height + 1);
  return version;
}

function missing(height: number): StoreCorrupt {
  return new StoreCorrupt(`changelog of height ${height}: missing`);
}

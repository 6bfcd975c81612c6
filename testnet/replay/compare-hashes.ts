/** App hashes of every validator, height by height: what each node's own execution gave, and what the next header agreed on. */
import { base64ToBytes } from "@keel/proto/bytes/base64";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { blockResults, headerAt } from "../network/rpc.ts";
import type { HashComparison } from "./checks.ts";
import { READS_AT_ONCE } from "./limits.ts";

/** Upper-case hex by height, from first to last. */
export type AppHashes = ReadonlyMap<number, string>;

/** What one node computed at each height. A height it cannot answer for is left out. */
export async function readAppHashes(rpc: string, first: number, last: number): Promise<AppHashes> {
  return await readEach(first, last, async (height) =>
    bytesToHex(base64ToBytes((await blockResults(rpc, height)).appHash)).toUpperCase(),
  );
}

/** What the headers one above say. */
export async function readHeaderHashes(
  rpc: string,
  first: number,
  last: number,
): Promise<AppHashes> {
  return await readEach(first, last, async (height) =>
    (await headerAt(rpc, height + 1)).app_hash.toUpperCase(),
  );
}

async function readEach(
  first: number,
  last: number,
  read: (height: number) => Promise<string>,
): Promise<AppHashes> {
  const hashes = new Map<number, string>();
  let next = first;
  const worker = async (): Promise<void> => {
    while (next <= last) {
      const height = next++;
      try {
        hashes.set(height, await read(height));
      } catch {
        // Missing is what the comparison says.
      }
    }
  };
  await Promise.all(Array.from({ length: READS_AT_ONCE }, worker));
  return hashes;
}

/** Pure. */
export function compareHashes(
  headers: AppHashes,
  nodes: readonly AppHashes[],
  firstHeight: number,
  lastHeight: number,
): HashComparison {
  const differences: string[] = [];
  for (let height = firstHeight; height <= lastHeight; height++) {
    const agreed = headers.get(height);
    if (agreed === undefined) differences.push(`height ${height}: no header above it`);
    for (const [index, hashes] of nodes.entries()) {
      const own = hashes.get(height);
      if (own === undefined) differences.push(`height ${height}: node${index} has no app hash`);
      else if (agreed !== undefined && own !== agreed)
        differences.push(
          `height ${height}: node${index} has ${own}, the chain agreed on ${agreed}`,
        );
    }
  }
  return { validators: nodes.length, firstHeight, lastHeight, differences };
}

import { expect, test } from "vitest";
import { dataHash, encodeBlock } from "../wire/block.ts";
import { zeroBlockId } from "../wire/block-id.ts";
import { commitHash, emptyCommit } from "../wire/commit.ts";
import { headerHash } from "../wire/header.ts";
import { splitIntoParts } from "../wire/part-set.ts";
import { makeHeader, makeValidators } from "../wire/testing/world.ts";
import { createPartSets } from "./part-sets.ts";

const txs = [new Uint8Array(100).fill(7)];
const header = makeHeader(makeValidators([1n]), {
  height: 1,
  lastBlockId: zeroBlockId,
  dataHash: dataHash(txs),
  lastCommitHash: commitHash(emptyCommit),
});
const block = { header, txs, evidence: [], lastCommit: emptyCommit };
const bytes = encodeBlock(block);
const { header: partSetHeader, parts } = splitIntoParts(bytes);
const blockId = { hash: headerHash(header), partSetHeader };

test("a block of our own is given back as it was made, once its parts are in", () => {
  const sets = createPartSets(10);
  sets.want(blockId);
  sets.built({ block, bytes, blockId });
  expect(sets.block(blockId)).toBeNull();
  for (const part of parts) sets.add(part);
  sets.built({ block, bytes, blockId });
  const stored = sets.block(blockId);
  expect(stored).toEqual({ block, bytes, blockId });
  expect(stored !== "invalid" && stored?.block).toBe(block);
});

test("a block read from its parts is the same, and never passes under another hash", () => {
  const sets = createPartSets(10);
  sets.want(blockId);
  for (const part of parts) sets.add(part);
  const other = { hash: new Uint8Array(32).fill(1), partSetHeader };
  sets.built({ block, bytes, blockId });
  expect(sets.block(other)).toBe("invalid");
  const read = createPartSets(10);
  read.want(blockId);
  for (const part of parts) read.add(part);
  expect(read.block(blockId)).toEqual({ block, bytes, blockId });
});

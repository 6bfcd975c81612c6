import { expect, test } from "vitest";
import { refuseWhenSignedRecently } from "./double-sign-check.ts";
import { openBlockStore } from "./store/level/block-store.ts";
import { MemoryDatabase } from "./store/level/memory-database.ts";
import { makeBlocks, testWorld } from "./store/level/testing.ts";

/** Ten blocks that all validators signed, the first of them only up to `lastSigned`; after that it votes for nil. */
async function chainSignedUpTo(lastSigned: number) {
  const store = await openBlockStore(new MemoryDatabase());
  const address = testWorld.validators[0]?.address ?? new Uint8Array(0);
  for (const { stored, seenCommit } of makeBlocks(10)) {
    const isQuiet = seenCommit.height > lastSigned;
    await store.save(stored, {
      ...seenCommit,
      extendedSignatures: seenCommit.extendedSignatures.map((one, i) =>
        isQuiet && i === 0 ? { ...one, flag: "nil" as const } : one,
      ),
    });
  }
  const check = (heights: number): Promise<void> =>
    refuseWhenSignedRecently({ blocks: store, address, lastHeight: 10, heights });
  return { check, store };
}

test("a node whose signature is in one of the last blocks does not start", async () => {
  const { check } = await chainSignedUpTo(7);
  await expect(check(4)).rejects.toThrow(
    "block 7 carries this validator's signature; make sure no other process signs with its key, then wait 4 blocks or set consensus.double_sign_check_height to 0",
  );
  await expect(check(1_000)).rejects.toThrow("block 7 carries");
});

test("a node that has been quiet for so long starts, and so does one that does not ask", async () => {
  const { check } = await chainSignedUpTo(7);
  // Its votes for nil in these blocks are no signatures of the block.
  await check(3);
  await check(0);
});

test("a stranger and an empty chain have nothing to fear", async () => {
  const { store } = await chainSignedUpTo(10);
  const address = new Uint8Array(20);
  await refuseWhenSignedRecently({ blocks: store, address, lastHeight: 10, heights: 10 });
  const empty = await openBlockStore(new MemoryDatabase());
  await refuseWhenSignedRecently({ blocks: empty, address, lastHeight: 0, heights: 10 });
});

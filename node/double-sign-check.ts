/**
 * CometBFT's `double_sign_check_height`: our signature in a recent block may mean that another process still signs with our key, and the
 * record of what we signed cannot tell. Such a node does not start; after so many blocks without its signature it does.
 */
import type { BlockStore } from "@keel/consensus/host/ports";
import { equalBytes } from "@keel/proto/bytes/compare";
import { ConfigError } from "./config/files.ts";

export interface DoubleSignCheck {
  readonly blocks: Pick<BlockStore, "base" | "loadCommit" | "loadSeenCommit">;
  /** Our validator address. */
  readonly address: Uint8Array;
  readonly lastHeight: number;
  /** How many blocks back to look; 0 switches the check off. */
  readonly heights: number;
}

/** Rejects with one sentence when one of the last `heights` commits has our precommit for the block. */
export async function refuseWhenSignedRecently(check: DoubleSignCheck): Promise<void> {
  const { blocks, address, lastHeight, heights } = check;
  const oldest = Math.max(lastHeight - heights + 1, blocks.base(), 1);
  for (let height = lastHeight; height >= oldest; height--) {
    const seen = await blocks.loadSeenCommit(height);
    const signatures =
      seen?.extendedSignatures ?? (await blocks.loadCommit(height))?.signatures ?? [];
    const isOurs = signatures.some(
      ({ flag, validatorAddress }) => flag === "commit" && equalBytes(validatorAddress, address),
    );
    if (isOurs) {
      throw new ConfigError(
        `block ${height} carries this validator's signature; make sure no other process signs with its key, then wait ${heights} blocks or set consensus.double_sign_check_height to 0`,
      );
    }
  }
}

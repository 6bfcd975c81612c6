/** A peer's block and commit, judged against the chain state before it: after this the block is as good as decided by ourselves. */
import { DecodeError } from "@keel/proto/bytes/decode-error";
import { nextHeight } from "../host/blocks.ts";
import type { ChainState, StoredBlock, VerifyEd25519 } from "../host/ports.ts";
import { decodeBlock } from "../wire/block.ts";
import { equalBlockIds } from "../wire/block-id.ts";
import { headerHash } from "../wire/header.ts";
import { extensionsEnabled } from "../wire/params.ts";
import { splitIntoParts } from "../wire/part-set.ts";
import type { ExtendedCommit } from "../wire/types.ts";
import { verifyExtendedCommit } from "../wire/verify.ts";

export type SyncVerdict =
  | { readonly ok: true; readonly stored: StoredBlock }
  | { readonly ok: false; readonly reason: string };

export interface SyncCandidate {
  readonly bytes: Uint8Array;
  readonly commit: ExtendedCommit;
}

/**
 * Every signature of the commit is checked, extensions too where they are enabled, not only two thirds of them: the commit is stored
 * as our own and becomes the last commit of the block after it if we propose that.
 */
export function verifySyncedBlock(
  state: ChainState,
  candidate: SyncCandidate,
  verify: VerifyEd25519,
): SyncVerdict {
  const { bytes, commit } = candidate;
  const height = nextHeight(state);
  let stored: StoredBlock;
  try {
    const block = decodeBlock(bytes);
    stored = {
      block,
      bytes,
      blockId: { hash: headerHash(block.header), partSetHeader: splitIntoParts(bytes).header },
    };
  } catch (error) {
    if (error instanceof DecodeError) return { ok: false, reason: error.message };
    throw error;
  }
  const { header } = stored.block;
  if (header.height !== height || commit.height !== height) {
    return {
      ok: false,
      reason: `expected block and commit ${height}, got ${header.height} and ${commit.height}`,
    };
  }
  if (!equalBlockIds(commit.blockId, stored.blockId)) {
    return { ok: false, reason: `block ${height}: the commit is for another block` };
  }
  const verdict = verifyExtendedCommit(commit, {
    chainId: state.chainId,
    validators: state.validators,
    verifySignature: verify,
    extensionsEnabled: extensionsEnabled(state.consensusParams, height),
  });
  return verdict.ok ? { ok: true, stored } : { ok: false, reason: verdict.message };
}

/**
 * How much one inclusion list may name, so that a block can hold all that is named.
 *
 * A block must hold what is overdue and what is listed, whole. Let validator v have the share p(v) of power and its list the gas g(v), at most L. A transaction is named when
 * those who name it have more than a third, that is when three times their shares are more than 1. So the gas of all named ones is less than the sum over them of
 * gas × 3 × (shares of those who name it), which is the sum over validators of 3 × p(v) × g(v) at most: less than 3 L, three times the mean list. What is overdue was listed
 * once, and is less than 3 L, too. So where all lists are honest a block of M gas holds both when 6 L ≤ M; bytes likewise.
 *
 * Both are of the parameters that hold when a validator votes: what was named before they shrank may be too much, and its round is lost after some empty blocks.
 */
import { txBytesInBlock } from "@keel/consensus/wire/block";
import { maxBlockBytes } from "@keel/consensus/wire/params";
import type { ConsensusParams } from "@keel/consensus/wire/types";
import { minimum } from "@keel/modules/kit/math/mul-div";
import { blockGasMax } from "./block.ts";
import {
  LISTED_GAS_MAX,
  LISTED_GAS_PERCENT,
  LISTED_GAS_UNLIMITED,
  LISTED_TX_BYTES_MAX,
} from "./limits.ts";

/** L must be this part of a block at most. */
const LISTS_IN_BLOCK = 6;

export interface ListBounds {
  /** Gas limits of all that one list names, and of one transaction. */
  readonly gas: bigint;
  readonly txGas: bigint;
  /** The same for bytes as they count in a block. */
  readonly bytes: number;
  readonly txBytes: number;
}

export function listBounds(params: ConsensusParams): ListBounds {
  const gas = listGas(blockGasMax(params));
  // Half of the block is for its header, its evidence, the last commit and transaction 0, which grows with the number of validators.
  const bytes = Math.floor(maxBlockBytes(params) / 2 / LISTS_IN_BLOCK);
  return {
    gas,
    txGas: minimum(LISTED_GAS_MAX, gas),
    bytes,
    txBytes: Math.min(txBytesInBlock(LISTED_TX_BYTES_MAX), bytes),
  };
}

function listGas(blockGas: bigint | null): bigint {
  if (blockGas === null) return LISTED_GAS_UNLIMITED;
  const share = (blockGas * LISTED_GAS_PERCENT) / 100n;
  // In a small block a list of the usual share is less than a cancel of everything; it may have a sixth, which is all there is.
  const least = minimum(LISTED_GAS_MAX, blockGas / BigInt(LISTS_IN_BLOCK));
  return share > least ? share : least;
}

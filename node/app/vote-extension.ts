/** This validator's vote on prices. Nothing a price source does can keep the node from voting. */

import type { BlockHeader } from "@keel/modules/kit/context";
import { unlimitedGas } from "@keel/modules/kit/gas";
import type { ReadState } from "@keel/modules/kit/store";
import type { OracleKeeper } from "@keel/modules/oracle/keeper";
import type { SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { readContext } from "./contexts.ts";

/** What this validator says about prices: the newest of each feed, mantissas at the feed's exponent. Must not throw. */
export interface PriceSource {
  latest(): readonly {
    readonly feedId: number;
    readonly mantissa: bigint;
    readonly confidence: bigint;
  }[];
  /** Parameters of volatility surfaces, asked for after the prices. Absent: none. */
  surfaces?(): readonly SurfaceVote[];
}

/** Empty bytes, which are a valid extension, when there is nothing to say. */
export function makeExtension(
  oracle: OracleKeeper,
  source: PriceSource | null,
  at: { readonly header: BlockHeader; readonly state: ReadState },
  onFault: (error: Error) => void,
): Uint8Array {
  if (source === null) return new Uint8Array(0);
  try {
    const extension = oracle.extensionFor(
      readContext(at.header, at.state, unlimitedGas()),
      source.latest(),
      source.surfaces?.() ?? [],
    );
    const fault = oracle.verifyExtension(extension);
    if (fault === null) return extension;
    onFault(new Error(`own vote extension: ${fault}`));
  } catch (error) {
    if (error instanceof RangeError || !(error instanceof Error)) throw error;
    onFault(error);
  }
  return new Uint8Array(0);
}

/** This validator's vote on prices, and the transactions it names. Nothing a source of either does can keep the node from voting. */

import type { ReadContext } from "@keel/modules/kit/context";
import type { OracleKeeper } from "@keel/modules/oracle/keeper";
import { keysOf } from "@keel/modules/oracle/lists/keys";
import { OracleVote, type SurfaceVote } from "@keel/proto/gen/keel/oracle/v1/types";
import { asContained } from "./faults.ts";

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

/** Empty bytes, which are a valid extension, when there is nothing to say. `listed`: keys of transactions to name, of which the first that fit are named; a fault in it leaves the prices, and the other way round. */
export function makeExtension(
  oracle: OracleKeeper,
  sources: { readonly prices: PriceSource | null; readonly listed: () => readonly string[] },
  context: ReadContext,
  onFault: (error: Error) => void,
): Uint8Array {
  const { prices } = sources;
  const contained = <T>(make: () => T, otherwise: T): T => {
    try {
      return make();
    } catch (error) {
      onFault(asContained(error));
      return otherwise;
    }
  };
  const none: Uint8Array = new Uint8Array(0);
  const keys = contained(sources.listed, []);
  const encoded = (make: () => Uint8Array): Uint8Array | null =>
    contained(() => {
      const extension = make();
      const fault = oracle.verifyExtension(extension);
      if (fault === null) return extension;
      throw new Error(`own vote extension: ${fault}`);
    }, null);
  const whole =
    prices === null
      ? null
      : encoded(() =>
          oracle.extensionFor(context, prices.latest(), prices.surfaces?.() ?? [], keys),
        );
  return whole ?? encoded(() => oracle.extensionFor(context, [], [], keys)) ?? none;
}

/** Keys of the transactions that a well-formed extension names. */
export function namedIn(extension: Uint8Array): readonly string[] {
  return keysOf(OracleVote.decode(extension).transactions);
}

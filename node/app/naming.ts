/** What this node's votes name, one after the other: it remembers its last one, and looks what became of that. */
import type { ProposedBlock } from "@keel/consensus/host/ports";
import { txKeys } from "@keel/modules/oracle/lists/keys";
import type { Keel } from "./app.ts";
import { type LeftOpen, leftOpenBy } from "./completeness.ts";
import { type ListingTools, listedKeys, type PendingSource, type PendingTx } from "./listing.ts";

export type Naming = (block: Pick<ProposedBlock, "txs">, tools: ListingTools) => readonly string[];

interface Named {
  readonly height: number;
  readonly keys: readonly string[];
}

/** The pool is told of them. */
export function createNaming(
  pending: PendingSource | undefined,
  keel: Pick<Keel, "chain" | "oracle">,
): Naming {
  if (pending === undefined) return () => [];
  const nothing: Named = { height: 0, keys: [] };
  /** By this node's last vote, and by its last one on an earlier height. */
  let own = nothing;
  let earlier = nothing;

  /**
   * A block that does nothing loses what was named for it, and who named that names it again: not its own end keeps a cancel out of the next list, which may have the order it
   * answers to. So what each honest validator named, all of them do again, and it has no less power. Not longer than such blocks may follow each other.
   */
  function* again(height: number, leaves: () => LeftOpen): Iterable<PendingTx> {
    if (earlier.height !== height - 1 || earlier.keys.length === 0 || !leaves().isIdle) return;
    for (const key of earlier.keys) {
      const tx = pending?.find(key);
      if (tx !== undefined) yield { tx, hash: key };
    }
  }

  return ({ txs }, tools) => {
    const { context } = tools;
    const { height } = context.header;
    if (own.height !== height) earlier = own;
    let left: LeftOpen | undefined;
    const leaves = (): LeftOpen => (left ??= leftOpenBy(txs, context, keel));
    const keys = listedKeys(
      {
        ...{ again: again(height, leaves), young: pending.young(context.header) },
        outgrown: (hash) => pending.outgrown?.(hash),
      },
      () => new Set([...txKeys(txs), ...leaves().overdue]),
      tools,
    );
    own = { height, keys };
    pending.named?.(height, keys);
    return keys;
  };
}

/** Executes a block again, beside the chain, and hears of every event that the protocol made by itself why it came. */
import type { ProposedBlock } from "@keel/consensus/host/ports";
import type { Event } from "@keel/consensus/wire/abci";
import type { ConsensusParams } from "@keel/consensus/wire/types";
import type { Explanation } from "@keel/modules/kit/explanation";
import type { Branch } from "@keel/modules/kit/store";
import type { Keel } from "./app.ts";
import { createBlockExecutor } from "./block.ts";
import { createRouter } from "./router.ts";
import type { CommittedView } from "./state.ts";
import type { TxReader } from "./transactions.ts";

export interface ExplainedEvent {
  readonly event: Event;
  /** null: nothing is decided in it that its attributes do not say. */
  readonly explanation: Explanation | null;
}

/** Events of hooks, in the order the block has them; "gone": the state before the block is no longer held; "large": there is too much of it. */
export type ExplainAnswer = readonly ExplainedEvent[] | "gone" | "large";

/** Takes longer than executing a block, since what is derived from state (books, bounds) is made anew. The state before it stays as it is. */
export function createExplainer(options: {
  readonly keel: Keel;
  readonly chainId: string;
  readonly read: TxReader["read"];
  readonly params: (from: Branch) => ConsensusParams;
  /** Of a state; with more of them the answer is "large". */
  readonly entriesMax: number;
}): (before: CommittedView | null, block: ProposedBlock) => ExplainAnswer {
  const { chainId, entriesMax, keel, params, read } = options;
  // Faults of these blocks have been told when they were executed first.
  const onFault = (): void => undefined;
  const router = createRouter({
    ante: keel.ante,
    addresses: keel.addresses,
    minGasPrices: [],
    onFault,
  });
  const blocks = createBlockExecutor({ keel, chainId, router, read, onFault });
  return (before, block) => {
    if (before === null) return "gone";
    const { branch } = before;
    const entries = keel.registry.collections.reduce((sum, { id }) => sum + branch.size(id), 0);
    if (entries > entriesMax) return "large";
    const explanations = new Map<Event, Explanation>();
    const state = branch.fork();
    const { events } = blocks.execute(state, block, params(state), (event, why) => {
      explanations.set(event, why());
    });
    return events.map((event) => ({ event, explanation: explanations.get(event) ?? null }));
  };
}

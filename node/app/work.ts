/** What the steps of a block's execution hand to each other. */
import type { ExecTxResult, Event as WireEvent } from "@keel/consensus/wire/abci";
import type { BlockHeader } from "@keel/modules/kit/context";
import type { Branch } from "@keel/modules/kit/store";
import type { Asked } from "./contexts.ts";

/** A block in work. */
export interface Work {
  readonly header: BlockHeader;
  readonly state: Branch;
  readonly events: WireEvent[];
  readonly results: ExecTxResult[];
  readonly asked: Asked | undefined;
}

/** What toy nodes tell each other. */

import type { BlockId, CommitCertificate, Height, Proposal, Round, Vote } from "../core/types.ts";
import type { Block } from "./chain.ts";

export type Message =
  /** A proposal, with its block or without. */
  | { readonly type: "proposal"; readonly proposal: Proposal; readonly block: Block | null }
  | { readonly type: "vote"; readonly vote: Vote }
  | { readonly type: "block"; readonly block: Block }
  | { readonly type: "status"; readonly status: Status }
  /** For a straggler: a decided height. */
  | { readonly type: "decided"; readonly certificate: CommitCertificate; readonly block: Block };

/** "This is where I am, what I hold and what I miss": the answer is what the other has beyond it (gossip.ts). */
export interface Status {
  readonly from: number;
  readonly height: Height;
  readonly round: Round;
  /** Who spoke where, one bit per validator, round and kind. */
  readonly slots: ReadonlySet<string>;
  /** Rounds and kinds with more than two thirds for one value. */
  readonly quorums: ReadonlySet<string>;
  readonly wanted: readonly BlockId[];
}

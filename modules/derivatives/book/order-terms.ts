/** What the book knows of an order, and where the inverses of its changes go. */
import type { AccountId } from "../../kit/account-id.ts";
import type { Side } from "../ports.ts";

/** Where inverses go: the state's journal, or a list in a benchmark. */
export interface UndoLog {
  onRevert(undo: () => void): void;
}

export interface OrderTerms {
  readonly id: number;
  readonly account: AccountId;
  readonly side: Side;
  readonly ticks: number;
  readonly lots: number;
  readonly reduceOnly: boolean;
  readonly clientId: string;
  /** Unix milliseconds; 0: until cancelled. */
  readonly goodTilMs: number;
  /** Last block in which it may trade; 0: no bound. */
  readonly goodTilHeight: number;
  /** Place in its level: its id, or a later number of the same counter. */
  readonly priority: number;
  /** A fill does more than fill: a hidden rest, a paired order, a bracket. Its record says what. */
  readonly hooked: boolean;
}

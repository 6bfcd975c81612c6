/**
 * What code of the state machine may see and do. The three contexts widen by capability (read ⊂ write ⊂ message), so a query
 * cannot write because it has nothing to write with.
 */
import type { Why } from "./explanation.ts";
import type { GasMeter } from "./gas.ts";
import type { ReadState, WriteState } from "./store.ts";

/** The part of the block header that the state machine may depend on. */
export interface BlockHeader {
  readonly chainId: string;
  readonly height: number;
  /** Block time in nanoseconds since the Unix epoch. */
  readonly timeNs: bigint;
  /** Upper-case hex of the proposer's consensus address; empty in queries and at genesis. */
  readonly proposer: string;
  /**
   * Of a transaction that validators' inclusion lists named: the round of auctions, a height, in which it takes part. Absent: nobody named it, and it
   * takes part in the round after this block's.
   */
  readonly round?: number;
}

/** snake_case type, plain string attributes. */
export interface Event {
  readonly type: string;
  readonly attributes: readonly {
    readonly key: string;
    readonly value: string;
  }[];
}

export interface ReadContext {
  readonly header: BlockHeader;
  readonly state: ReadState;
  readonly gas: GasMeter;
}

export interface WriteContext extends ReadContext {
  readonly state: WriteState;
  /** `why`: of what the protocol does by itself. Worked out only for whoever asks (`explanation.ts`). */
  emit(type: string, attributes: Readonly<Record<string, string>>, why?: Why): void;
}

export interface MessageContext extends WriteContext {
  /** Account addresses (20 raw bytes each) that signed this message, first signer first. */
  readonly signers: readonly Uint8Array[];
}

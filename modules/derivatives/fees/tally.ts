/** What fills leave to be written once they are over: the volume of both sides, and the parts of their fees that are someone else's. */
import { type AccountId, accountId, type OwnerKey, ownerKeyOf } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import type { Instrument } from "../instruments.ts";
import type { Venue } from "../venue.ts";
import { feeShared, type Share } from "./events.ts";
import type { FeeTerms } from "./params.ts";
import { addVolume } from "./volume.ts";

export class FeeTally {
  readonly #instrument: Instrument;
  readonly #terms: FeeTerms | null;
  readonly #volumes = new Map<OwnerKey, bigint>();
  readonly #shares = new Map<string, Share>();

  constructor(instrument: Instrument, terms: FeeTerms | null) {
    this.#instrument = instrument;
    this.#terms = terms;
  }

  trade(account: AccountId, notional: bigint): void {
    if (this.#terms?.keepsVolume !== true) return;
    const owner = ownerKeyOf(account);
    this.#volumes.set(owner, (this.#volumes.get(owner) ?? 0n) + notional);
  }

  share(share: Share): void {
    if (share.quanta === 0n) return;
    const { kind, payer, recipient, quanta } = share;
    const key = `${kind}${payer}${accountId(recipient, 0)}`;
    const before = this.#shares.get(key)?.quanta ?? 0n;
    this.#shares.set(key, { kind, payer, recipient, quanta: before + quanta });
  }

  /** The fees are held by margin already. */
  write(ctx: WriteContext, venue: Venue): void {
    for (const [owner, quanta] of this.#volumes) addVolume(ctx, venue, owner, quanta);
    for (const share of this.#shares.values()) {
      venue.clearing.shareFees(ctx, accountId(share.recipient, 0), share.quanta);
      feeShared(ctx, venue, this.#instrument, share);
    }
  }
}

/** Whether a trade fits its two documents and its market. Positions are followed through the trades of one message. */
import type { DocumentTrade } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { type AccountId, isSameOwner } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import { refuse } from "../errors.ts";
import { FeeDesk } from "../fees/desk.ts";
import {
  formatMoney,
  formatPrice,
  formatSize,
  type Instrument,
  notionalOf,
  parsePrice,
  parseSize,
} from "../instruments.ts";
import { isFree, lotsWorth } from "../keys/counting.ts";
import type { Mark } from "../marking/mark.ts";
import { bandLimit, isCoarse, sizeNotional } from "../marks.ts";
import { requireOpenMarket } from "../open-market.ts";
import { reducible } from "../orders/execution.ts";
import { sideOf } from "../orders/requests.ts";
import type { MarketId, Side, Trade, TradeParty } from "../ports.ts";
import type { Venue } from "../venue.ts";
import type { Party } from "./party.ts";

export interface CheckedTrade {
  readonly trade: Trade;
  /** After the trade was cleared: volume, and a referrer's share of the fee. */
  keepFees(): void;
  readonly instrument: Instrument;
  readonly buyer: Party;
  readonly seller: Party;
}

export interface TradeCheck {
  /** Throws ModuleError; otherwise the parties have the trade on them. */
  trade(agreed: DocumentTrade, buyer: Party, seller: Party): CheckedTrade;
  /** Lots of every market traded. */
  openInterest(): ReadonlyMap<MarketId, bigint>;
  /** After clearing: open interest has not grown above a market's cap. */
  requireCaps(before: ReadonlyMap<MarketId, bigint>): void;
}

export function createTradeCheck(ctx: WriteContext, venue: Venue): TradeCheck {
  const marks = new Map<MarketId, { readonly instrument: Instrument; readonly mark: Mark }>();
  const positions = new Map<string, bigint>();

  function markOf(instrument: Instrument): Mark {
    let known = marks.get(instrument.id);
    if (known === undefined) {
      known = { instrument, mark: requireOpenMarket(ctx, venue, instrument) };
      marks.set(instrument.id, known);
    }
    return known.mark;
  }

  function position(account: AccountId, market: MarketId): bigint {
    const key = `${market}/${account}`;
    return positions.get(key) ?? venue.clearing.positionLots(ctx, account, market);
  }

  /** Takes the lots from what is left of the document, within its own bounds. */
  function take(party: Party, side: Side, ticks: number, lots: number): { reduces: boolean } {
    const { instrument, limitTicks, sizeLots, account, document } = party;
    const worse = side === "buy" ? ticks > limitTicks : ticks < limitTicks;
    if (worse) {
      throw refuse(
        "limitExceeded",
        `expected a ${side} at ${document.price} or better, got ${formatPrice(instrument, ticks)}`,
      );
    }
    if (party.filledLots + lots > sizeLots) {
      const left = formatSize(instrument, sizeLots - party.filledLots);
      throw refuse("documentOverfilled", `expected at most what is left of the document, ${left}`);
    }
    const before = position(account, instrument.id);
    const reduces = reducible(before, side) >= BigInt(lots);
    const closing = instrument.status === "closeOnly" || isCoarse(instrument, markOf(instrument));
    if (!reduces && (document.reduceOnly || closing)) {
      throw refuse(
        document.reduceOnly ? "reduceOnlyWouldIncrease" : "closeOnly",
        `no position of that size that a ${side} would reduce`,
      );
    }
    const after = before + (side === "buy" ? BigInt(lots) : -BigInt(lots));
    positions.set(`${instrument.id}/${account}`, after);
    party.filledLots += lots;
    return { reduces };
  }

  function requirePrice(instrument: Instrument, ticks: number): void {
    const mark = markOf(instrument);
    const most = bandLimit(instrument, mark, "buy");
    const least = bandLimit(instrument, mark, "sell");
    if (ticks > most || ticks < least) {
      throw refuse(
        "priceOutOfBand",
        `expected a price from ${formatPrice(instrument, least)} to ${formatPrice(instrument, most)}`,
      );
    }
  }

  function requireNotional(instrument: Instrument, notional: bigint, reduces: boolean): void {
    const { notionalMin } = instrument.terms;
    if (!reduces && notional < notionalMin) {
      throw refuse("notionalTooSmall", `expected at least ${formatMoney(notionalMin)}`);
    }
    if (notional > instrument.notionalMax) {
      throw refuse("notionalTooLarge", `expected at most ${formatMoney(instrument.notionalMax)}`);
    }
  }

  function sideOfTrade(
    party: Party,
    { notional, worth }: { readonly notional: bigint; readonly worth: bigint },
    feeQuanta: bigint,
  ): TradeParty {
    const most = mulDivUp(notional, BigInt(party.document.feeMaxPpm), PPM);
    if (feeQuanta > most) {
      throw refuse(
        "feeAboveMaximum",
        `expected a fee of at most ${formatMoney(most)}, got ${formatMoney(feeQuanta)}`,
      );
    }
    if (!isFree(markOf(party.instrument), party.document.reduceOnly)) party.committed += worth;
    return { account: party.account, feeQuanta, orderId: null };
  }

  return {
    trade(agreed, buyer, seller) {
      const { instrument } = buyer;
      const ticks = parsePrice(instrument, agreed.price);
      const lots = parseSize(instrument, agreed.size);
      requirePrice(instrument, ticks);
      if (isSameOwner(buyer.account, seller.account)) {
        throw refuse("selfTrade", "both documents are of one owner");
      }
      const reduces = [take(buyer, "buy", ticks, lots), take(seller, "sell", ticks, lots)];
      const notional = notionalOf(instrument, ticks, lots);
      requireNotional(
        instrument,
        sizeNotional(instrument, markOf(instrument), ticks, lots),
        reduces.every((one) => one.reduces),
      );
      const worth = lotsWorth({ instrument, mark: markOf(instrument) }, ticks, lots);
      const value = { notional, worth };
      const taker = sideOf(agreed.taker) ?? "buy";
      const [taking, making] = taker === "buy" ? [buyer, seller] : [seller, buyer];
      const maker = { account: making.account, builder: undefined };
      const place = { ctx, venue, instrument };
      const desk = new FeeDesk(place, { account: taking.account, builder: undefined }, false);
      const charged = desk.charge(notional, maker);
      const { takerQuanta, makerQuanta } = charged;
      const makerFee = makerQuanta > 0n ? makerQuanta : 0n;
      const trade: Trade = {
        market: instrument.id,
        priceTicks: BigInt(ticks),
        lots: BigInt(lots),
        buyer: sideOfTrade(buyer, value, taker === "buy" ? takerQuanta : makerFee),
        seller: sideOfTrade(seller, value, taker === "sell" ? takerQuanta : makerFee),
        taker,
        kind: "external",
      };
      const keepFees = (): void => {
        desk.cleared(notional, maker, charged);
        desk.close();
      };
      return { trade, instrument, buyer, seller, keepFees };
    },

    openInterest() {
      const lots = new Map<MarketId, bigint>();
      for (const id of marks.keys()) lots.set(id, venue.clearing.openInterestLots(ctx, id));
      return lots;
    },

    requireCaps(before) {
      for (const { instrument } of marks.values()) {
        const cap = instrument.terms.openInterestMaxLots;
        const after = venue.clearing.openInterestLots(ctx, instrument.id);
        if (cap !== 0n && after > cap && after > (before.get(instrument.id) ?? 0n)) {
          throw refuse("openInterestCap", `expected open interest of at most ${cap} lots`);
        }
      }
    },
  };
}

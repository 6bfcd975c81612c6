/** Trades and fills of a block, from its events. */

import {
  formatPrice,
  formatSize,
  type Instrument,
  type Step,
} from "@keel/modules/derivatives/instruments";
import { MONEY_PLACES } from "@keel/modules/derivatives/instruments/contract";
import type { MarketId } from "@keel/modules/derivatives/ports";
import { formatDecimal, parseDecimal } from "@keel/modules/kit/math/decimal";
import type { MarketEvent } from "./block-events.ts";

export type PrintKind =
  | "book"
  | "liquidation"
  | "auction"
  | "external"
  | "deleverage"
  | "backstop"
  | "settlement"
  | "transfer";

export type Role = "maker" | "taker" | "";

/** One side of a trade. */
export interface Party {
  /** "keel1…/0" */
  readonly account: string;
  readonly side: "buy" | "sell";
  /** Empty where nobody was first. */
  readonly role: Role;
  /** Empty without an order. */
  readonly orderId: string;
  /** Of the settlement asset; a rebate is negative. */
  readonly fee: string;
}

/** Something that changed positions at a price. Decimals of the wire. */
export interface Print {
  readonly market: MarketId;
  readonly symbol: string;
  readonly kind: PrintKind;
  readonly price: string;
  readonly size: string;
  /** Of the taker; empty without one. */
  readonly side: "buy" | "sell" | "";
  /** Shown to everybody as a trade. Otherwise only a fill of its parties: a part of an auction, a settlement. */
  readonly isTrade: boolean;
  readonly parties: readonly Party[];
}

/** A print in its place, which names it on every node. */
export interface PlacedPrint extends Print {
  readonly height: number;
  /** In its block, from 0. */
  readonly number: number;
  readonly timeMs: number;
}

export function printId({ height, number }: Pick<PlacedPrint, "height" | "number">): string {
  return `${height}-${number}`;
}

/** Trades at these prices are what a market's candles are made of: its own book and its auctions. */
export function isOfTheBook({ kind, isTrade }: Pick<Print, "kind" | "isTrade">): boolean {
  return isTrade && (kind === "book" || kind === "liquidation" || kind === "auction");
}

/** Null: the event tells of none, or of a market that is not known. */
export function printOf(
  { type, attributes }: MarketEvent,
  find: (symbol: string) => Instrument | undefined,
): Print | null {
  const read = readers[type];
  const text = (key: string): string => attributes[key] ?? "";
  const instrument = read === undefined ? undefined : find(text("market"));
  if (read === undefined || instrument === undefined) return null;
  return { market: instrument.id, symbol: instrument.symbol, ...read(text, instrument) };
}

type Attributes = (key: string) => string;
type Reader = (text: Attributes, instrument: Instrument) => Omit<Print, "market" | "symbol">;

const opposite = { buy: "sell", sell: "buy" } as const;

const readers: Readonly<Record<string, Reader>> = {
  trade(text) {
    const side = sideOf(text("side"));
    return {
      kind: text("liquidation") === "true" ? "liquidation" : "book",
      price: text("price"),
      size: text("size"),
      side,
      isTrade: true,
      parties: [
        party(text("taker"), side, "taker", text("taker_order_id"), text("taker_fee")),
        party(text("maker"), opposite[side], "maker", text("maker_order_id"), text("maker_fee")),
      ],
    };
  },
  auction_cleared: (text) => ({
    kind: "auction",
    price: text("price"),
    size: text("volume"),
    side: "",
    isTrade: true,
    parties: [],
  }),
  auction_fill: (text) => ({
    kind: "auction",
    price: text("price"),
    size: text("size"),
    side: "",
    isTrade: false,
    parties: [party(text("account"), sideOf(text("side")), "", text("order_id"), text("fee"))],
  }),
  external_trade(text) {
    const side = sideOf(text("side"));
    const role = (of: "buy" | "sell"): Role => (of === side ? "taker" : "maker");
    return {
      kind: "external",
      price: text("price"),
      size: text("size"),
      side,
      isTrade: true,
      parties: [
        party(text("buyer"), "buy", role("buy"), "", text("buyer_fee")),
        party(text("seller"), "sell", role("sell"), "", text("seller_fee")),
      ],
    };
  },
  deleverage: (text, instrument) =>
    takenOver("deleverage", text, instrument, text("price_ticks"), text("counterparty")),
  backstop_takeover: (text, instrument) =>
    takenOver("backstop", text, instrument, text("mark_ticks"), text("backstop")),
  position_settled(text, instrument) {
    const lots = BigInt(text("lots"));
    return {
      kind: "settlement",
      price: settlementPrice(instrument, BigInt(text("value_per_lot"))),
      size: formatSize(instrument, lots < 0n ? -lots : lots),
      side: "",
      isTrade: false,
      parties: [party(text("account"), lots < 0n ? "buy" : "sell", "", "", "0")],
    };
  },
  position_transferred(text) {
    const size = text("size");
    const isShort = size.startsWith("-");
    const giving = isShort ? "buy" : "sell";
    return {
      kind: "transfer",
      price: text("price"),
      size: isShort ? size.slice(1) : size,
      side: "",
      isTrade: false,
      parties: [
        party(text("from"), giving, "", "", "0"),
        party(text("to"), opposite[giving], "", "", "0"),
      ],
    };
  },
};

/** `side` of the event is the account's. */
function takenOver(
  kind: PrintKind,
  text: Attributes,
  instrument: Instrument,
  ticks: string,
  by: string,
): Omit<Print, "market" | "symbol"> {
  const side = sideOf(text("side"));
  return {
    kind,
    price: formatPrice(instrument, BigInt(ticks)),
    size: formatSize(instrument, BigInt(text("lots"))),
    side: "",
    isTrade: false,
    parties: [party(text("account"), side, "", "", "0"), party(by, opposite[side], "", "", "0")],
  };
}

function sideOf(text: string): "buy" | "sell" {
  if (text !== "buy" && text !== "sell") throw new Error(`expected buy or sell, got "${text}"`);
  return text;
}

function party(
  account: string,
  side: "buy" | "sell",
  role: Role,
  orderId: string,
  fee: string,
): Party {
  return { account, side, role, orderId, fee };
}

/** What a unit was worth: quanta per lot over the lot, to a millionth of a quantum. */
function settlementPrice({ lot }: Instrument, quantaPerLot: bigint): string {
  const more = 6;
  const scaled = quantaPerLot * 10n ** BigInt(lot.places + more);
  return formatDecimal(scaled / lot.units, MONEY_PLACES + more);
}

/** Ticks of a price, lots of a size: what the chain wrote is a whole number of steps. */
export function stepsIn(text: string, step: Step): bigint {
  const value = parseDecimal(text, step.places);
  if (value === null) throw new Error(`expected a decimal of ${step.places} places, got "${text}"`);
  return value / step.units;
}

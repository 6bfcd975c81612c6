/** Contracts as people name them, from and to their wire form. */
import { MsgListMarket } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { Market, OptionRight } from "@keel/proto/gen/keel/derivatives/v1/types";
import { KeelInputError } from "./errors.ts";

export type OptionSide = "call" | "put";

interface Dated {
  /** Unix milliseconds. */
  readonly expiryMs: number;
  /** The settlement price is the mean of the index over this long before the expiry. */
  readonly windowMs: number;
  /** Positions can only shrink for this long before the expiry. Default 0. */
  readonly closeOnlyMs?: number;
}

interface Optional extends Dated {
  readonly right: OptionSide;
  /** Decimal. */
  readonly strike: string;
  /** 0 with a surface. */
  readonly volatilityFeedId: number;
  /** Instead of a feed. */
  readonly volatilitySurfaceId?: number;
}

export type Contract =
  | { readonly kind: "linear-perpetual" }
  | (Dated & { readonly kind: "dated-future" })
  | (Optional & { readonly kind: "european-option" | "asian-option" })
  | (Optional & {
      readonly kind: "digital-option";
      /** Decimal, in the quote asset per unit of size. */
      readonly payout: string;
    });

/** Undefined: a kind that this library does not know. */
export function contractOf(market: Market): Contract | undefined {
  if (market.linearPerpetual !== undefined) return { kind: "linear-perpetual" };
  const { datedFuture, europeanOption, digitalOption, asianOption } = market;
  const terms = europeanOption ?? digitalOption ?? asianOption;
  const end = (terms ?? datedFuture)?.maturity;
  if (end === undefined) return undefined;
  const dated = {
    expiryMs: Number(end.expiryMs),
    windowMs: Number(end.windowMs),
    closeOnlyMs: Number(end.closeOnlyMs),
  };
  if (terms === undefined) return { kind: "dated-future", ...dated };
  const right: OptionSide = terms.right === OptionRight.OPTION_RIGHT_PUT ? "put" : "call";
  const { strike, volatilityFeedId, volatilitySurfaceId } = terms;
  const surface = volatilitySurfaceId === 0 ? {} : { volatilitySurfaceId };
  const option = { ...dated, right, strike, volatilityFeedId, ...surface };
  if (digitalOption !== undefined)
    return { kind: "digital-option", ...option, payout: digitalOption.payout };
  return { kind: europeanOption === undefined ? "asian-option" : "european-option", ...option };
}

/** A contract that anyone may list against the bond of the chain's parameters. Symbol, assets and terms are the chain's. */
export interface ListingRequest {
  readonly feedId: number;
  /** Decimals. */
  readonly tickSize: string;
  readonly lotSize: string;
  readonly contract: Exclude<Contract, { kind: "linear-perpetual" }>;
}

export function listMarketMessage(sender: string, request: ListingRequest): MsgListMarket {
  const { contract, feedId, tickSize, lotSize } = request;
  for (const field of ["expiryMs", "windowMs"] as const)
    if (!Number.isSafeInteger(contract[field]) || contract[field] <= 0)
      throw new KeelInputError("invalid-option", field, "expected milliseconds above zero");
  const maturity = {
    expiryMs: BigInt(contract.expiryMs),
    windowMs: BigInt(contract.windowMs),
    closeOnlyMs: BigInt(contract.closeOnlyMs ?? 0),
  };
  const base = { feedId, tickSize, lotSize };
  const listed = (instrument: object): MsgListMarket =>
    MsgListMarket.fromPartial({ sender, market: Market.fromPartial({ ...base, ...instrument }) });
  if (contract.kind === "dated-future") return listed({ datedFuture: { maturity } });
  const { strike, volatilityFeedId, volatilitySurfaceId = 0 } = contract;
  const right: OptionRight =
    contract.right === "put" ? OptionRight.OPTION_RIGHT_PUT : OptionRight.OPTION_RIGHT_CALL;
  const terms = { maturity, right, strike, volatilityFeedId, volatilitySurfaceId };
  if (contract.kind === "digital-option")
    return listed({ digitalOption: { ...terms, payout: contract.payout } });
  return listed(
    contract.kind === "asian-option" ? { asianOption: terms } : { europeanOption: terms },
  );
}

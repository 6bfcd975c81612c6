/** Option chains, settlement prices, series, what listing asks for, and listing against a bond: one call each. */
import type { SettlementPriceView } from "@keel/proto/gen/keel/derivatives/v1/query";
import { MsgListMarketResponse } from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { Bond, Params, StoredSeries } from "@keel/proto/gen/keel/derivatives/v1/types";
import { KeelConnectionError } from "./errors.ts";
import type { ListingRequest } from "./instruments.ts";
import type { KeelClient } from "./keel-client.ts";
import type { WithTx } from "./outcomes.ts";
import { methods } from "./queries.ts";
import type { KeelSigningClient } from "./signing-client.ts";
import type { SubmitOptions } from "./submitter.ts";
import { responseOf } from "./tx-result.ts";
import { type MarketInfo, marketInfo } from "./views.ts";

/** Calls and puts of one expiry and strike. */
export interface ChainRow {
  readonly expiryMs: number;
  readonly strike: string;
  readonly calls: readonly MarketInfo[];
  readonly puts: readonly MarketInfo[];
}

export interface SettlementPrice {
  readonly feedId: number;
  readonly expiryMs: number;
  readonly windowMs: number;
  /** The settlement price, or the mean so far; undefined before the window opens. */
  readonly price: string | undefined;
  readonly final: boolean;
  readonly markets: number;
}

/** Options on a base asset by expiry and strike; of one expiry (Unix ms) or all. */
export async function optionChain(
  chain: KeelClient,
  underlying: string,
  expiryMs: number = 0,
): Promise<readonly ChainRow[]> {
  const found: ChainRow[] = [];
  for (;;) {
    const page = { underlying, expiryMs: BigInt(expiryMs), offset: found.length, limit: 0 };
    const { rows, total } = await chain.ask(methods.optionChain, page);
    for (const row of rows) {
      const { strike, calls, puts } = row;
      const infos = { calls: calls.map(marketInfo), puts: puts.map(marketInfo) };
      found.push({ expiryMs: Number(row.expiryMs), strike, ...infos });
    }
    if (rows.length === 0 || found.length >= total) return found;
  }
}

/** Settlement prices of a feed (0: all), final and in the making. */
export async function settlementPrices(
  chain: KeelClient,
  feedId: number = 0,
): Promise<readonly SettlementPrice[]> {
  const { prices } = await chain.ask(methods.settlementPrices, { feedId });
  return prices.map(settlementPrice);
}

function settlementPrice(view: SettlementPriceView): SettlementPrice {
  const { feedId, expiryMs, windowMs, price, final, markets } = view;
  return {
    feedId,
    expiryMs: Number(expiryMs),
    windowMs: Number(windowMs),
    price: price === "" ? undefined : price,
    final,
    markets,
  };
}

/** Series of contracts that list themselves. */
export async function series(
  chain: KeelClient,
  name: string = "",
): Promise<readonly StoredSeries[]> {
  return (await chain.ask(methods.series, { name })).series;
}

/** The module's parameters; `instruments.openListing` says what anyone's listing asks for, and is absent where only the authority lists. */
export async function derivativesParams(chain: KeelClient): Promise<Params> {
  const { params } = await chain.ask(methods.derivativesParams, {});
  if (params === undefined)
    throw new KeelConnectionError("bad-answer", "expected the parameters of derivatives");
  return params;
}

/** What stands for markets that anyone listed. */
export async function bonds(chain: KeelClient): Promise<readonly Bond[]> {
  return (await chain.ask(methods.bonds, {})).bonds;
}

/** Lists a contract against a bond; it opens after a notice time. */
export async function listMarket(
  client: KeelSigningClient,
  request: ListingRequest,
  options: SubmitOptions = {},
): Promise<WithTx<MsgListMarketResponse>> {
  const tx = await client.execute([client.messages.listMarket(request)], options);
  return { ...responseOf(tx, 0, MsgListMarketResponse), tx };
}

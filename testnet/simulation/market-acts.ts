/** What the authority does with single markets over a run: halts, reopens, lists, delists them, changes their terms, takes bonds. */
import { defaultTerms, linearPerpetual } from "@keel/modules/derivatives/defaults";
import type { Instrument } from "@keel/modules/derivatives/instruments";
import type { Random } from "@keel/modules/derivatives/random";
import type { ReadContext } from "@keel/modules/kit/context";
import type { Keel } from "@keel/node/app/app";
import { QueryBondsRequest, QueryBondsResponse } from "@keel/proto/gen/keel/derivatives/v1/query";
import {
  MsgCreateMarket,
  MsgCreateSeries,
  MsgForfeitBond,
  MsgUpdateMarket,
  MsgUpdateSeries,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MarketStatus, MatchingMode } from "@keel/proto/gen/keel/derivatives/v1/types";
import { seriesList } from "./genesis.ts";
import { ask, type PlannedMessage } from "./operation.ts";
import { FEEDS } from "./prices.ts";

/** Before the jump of the weather, which comes at the beginning of the window of settlement. */
const ENDING_MS = 6 * 60_000 + 30_000;
const HALF_HOUR_MS = 30 * 60_000;
const DERIVATIVES = "/keel.derivatives.v1.";
const {
  MARKET_STATUS_ACTIVE,
  MARKET_STATUS_CLOSE_ONLY,
  MARKET_STATUS_HALTED,
  MARKET_STATUS_SETTLING,
} = MarketStatus;

export interface Scene {
  readonly keel: Keel;
  readonly ctx: ReadContext;
  readonly random: Random;
  readonly authority: string;
  readonly instruments: readonly Instrument[];
}

export type Act = (scene: Scene) => PlannedMessage | null;

export function pick<T>(random: Random, from: readonly T[]): T | undefined {
  return from[random.below(Math.max(1, from.length))];
}

function status(scene: Scene, instrument: Instrument, next: MarketStatus): PlannedMessage {
  const { authority } = scene;
  const value = { authority, market: instrument.symbol, status: next };
  return { typeUrl: `${DERIVATIVES}MsgUpdateMarket`, value: MsgUpdateMarket.fromPartial(value) };
}

const isStopped = ({ status: now }: Instrument): boolean => now === "halted" || now === "closeOnly";

/** Perpetuals beside those of the genesis: they come to be delisted. */
function isCreated({ contract, id }: Instrument): boolean {
  return contract.kind === "linearPerpetual" && id > 3;
}

function leftMs({ ctx }: Scene, { contract }: Instrument): number {
  return Number(contract.maturity?.expiryMs ?? 0) - Number(ctx.header.timeNs / 1_000_000n);
}

const isEnding = (scene: Scene, instrument: Instrument): boolean => {
  const left = leftMs(scene, instrument);
  return left > 0 && left < ENDING_MS;
};

const reopen: Act = (scene) => {
  const stopped = scene.instruments.filter(
    (one) =>
      isStopped(one) &&
      one.market.status !== MARKET_STATUS_ACTIVE &&
      !isEnding(scene, one) &&
      !isCreated(one),
  );
  const found = pick(scene.random, stopped);
  return found === undefined ? null : status(scene, found, MARKET_STATUS_ACTIVE);
};

const stop: Act = (scene) => {
  const open = scene.instruments.filter((one) => one.status === "active" && !isCreated(one));
  const found = pick(scene.random, open);
  if (found === undefined) return null;
  const next = scene.random.below(3) === 0 ? MARKET_STATUS_CLOSE_ONLY : MARKET_STATUS_HALTED;
  return status(scene, found, next);
};

/** What somebody holds, shortly before its end, of every other half hour. */
function ending(scene: Scene): readonly Instrument[] {
  const { keel, ctx, instruments } = scene;
  return instruments.filter((one) => {
    const odd = Math.floor(Number(one.contract.maturity?.expiryMs ?? 0) / HALF_HOUR_MS) % 2 === 1;
    const held = keel.margin.ledger(ctx, one.id)?.positions ?? 0n;
    return odd && held > 0n && isEnding(scene, one);
  });
}

/** Nobody is liquidated there, and who is below zero then is found by the settlement. */
export const stopEnding: Act = (scene) => {
  const { random } = scene;
  const open = ending(scene).filter((one) => one.status === "active");
  const futures = open.filter(({ contract }) => contract.kind === "datedFuture");
  const found = pick(random, futures) ?? pick(random, open);
  return found === undefined ? null : status(scene, found, MARKET_STATUS_HALTED);
};

/** Fees move a little; the second perpetual goes from batch auctions to continuous matching and back. */
const changeTerms: Act = ({ instruments, random, authority }) => {
  const found = pick(
    random,
    instruments.filter(({ status: now }) => now === "active"),
  );
  if (found === undefined) return null;
  const { auction } = found.terms;
  const matching =
    random.below(2) === 0
      ? MatchingMode.MATCHING_MODE_CONTINUOUS
      : MatchingMode.MATCHING_MODE_BATCH_AUCTION;
  const switched =
    auction === undefined || found.symbol !== "ETH-PERP" ? auction : { ...auction, matching };
  const terms = { ...found.terms, takerFeePpm: 400 + random.below(300), auction: switched };
  const value = MsgUpdateMarket.fromPartial({ authority, market: found.symbol, terms });
  return { typeUrl: `${DERIVATIVES}MsgUpdateMarket`, value };
};

/** The ETH perpetual is by auction most of the time. */
const backToAuctions: Act = ({ instruments, authority }) => {
  const found = instruments.find(({ symbol }) => symbol === "ETH-PERP");
  const auction = found?.terms.auction;
  if (found === undefined || auction === undefined) return null;
  const terms = {
    ...found.terms,
    auction: { ...auction, matching: MatchingMode.MATCHING_MODE_BATCH_AUCTION },
  };
  return {
    typeUrl: `${DERIVATIVES}MsgUpdateMarket`,
    value: MsgUpdateMarket.fromPartial({ authority, market: found.symbol, terms }),
  };
};

/** One of those it has created: close-only, and settled after the notice. */
const delist: Act = (scene) => {
  const own = scene.instruments.filter(
    (one) => isCreated(one) && one.status !== "settling" && one.status !== "settled",
  );
  const closing = own.find((one) => one.market.status === MARKET_STATUS_CLOSE_ONLY);
  if (closing !== undefined) return status(scene, closing, MARKET_STATUS_SETTLING);
  const found = pick(scene.random, own);
  return found === undefined ? null : status(scene, found, MARKET_STATUS_CLOSE_ONLY);
};

const bonds: Act = (scene) => {
  const { random, authority, instruments } = scene;
  const codecs = [QueryBondsRequest, QueryBondsResponse] as const;
  const bond = pick(random, ask(scene, `${DERIVATIVES}Query/Bonds`, codecs, {}).bonds);
  const known = instruments.find(({ id }) => id === bond?.market);
  // Sometimes of a market that has none.
  const market = random.below(3) === 0 ? pick(random, instruments) : known;
  if (market === undefined) return null;
  return {
    typeUrl: `${DERIVATIVES}MsgForfeitBond`,
    value: MsgForfeitBond.fromPartial({ authority, market: market.symbol }),
  };
};

const series: Act = ({ random, authority }) => {
  const list = seriesList();
  const one = pick(random, list);
  if (one === undefined) return null;
  if (random.below(4) === 0)
    return {
      typeUrl: `${DERIVATIVES}MsgCreateSeries`,
      value: MsgCreateSeries.fromPartial({ authority, series: one }),
    };
  const name = random.below(4) === 0 ? "NONE" : one.name;
  const change = { ...one, name, paused: random.below(5) === 0 };
  return {
    typeUrl: `${DERIVATIVES}MsgUpdateSeries`,
    value: MsgUpdateSeries.fromPartial({ authority, series: change }),
  };
};

/** Another perpetual on a feed that has one: taken until the bound on markets is met, or its symbol is. */
const create: Act = ({ random, authority }) => {
  const [base, feedId] = ["BTC", FEEDS.btc] as const;
  const market = linearPerpetual({
    symbol: `${base}-PERP-${1 + random.below(3)}`,
    baseAsset: base,
    quoteAsset: "USD",
    feedId,
    tickSize: "0.5",
    lotSize: "0.001",
  });
  return {
    typeUrl: `${DERIVATIVES}MsgCreateMarket`,
    value: MsgCreateMarket.fromPartial({ authority, market: { ...market, terms: defaultTerms() } }),
  };
};

/** As often as they stand here. */
export const marketActs: readonly Act[] = [
  ...[reopen, reopen, reopen, reopen],
  ...[stop, stop],
  changeTerms,
  ...[backToAuctions, backToAuctions],
  ...[bonds, bonds],
  ...[series, series],
  create,
  delist,
];

/**
 * What the funds should hold, beside what they hold: the largest of what the two owners who would miss most would miss together in the worst stress, the
 * mean shortfall of the worst thousandth of days beyond maintenance margin, and a share of the open interest (as it is now).
 */
import type {
  FundTarget,
  QueryFundTargetsResponse,
} from "@keel/proto/gen/keel/margin/v1/waterfall";
import { ownerOf } from "../../kit/account-id.ts";
import { bytesToKey } from "../../kit/collections/codecs.ts";
import type { ReadContext } from "../../kit/context.ts";
import { maximum, mulDivDown, mulDivUp, PPM } from "../../kit/math/mul-div.ts";
import { worstExcess } from "../../kit/math/tail.ts";
import type { ModelledMarkets } from "../health/market-view.ts";
import type { InsurancePort } from "../ports.ts";
import type { MarginState } from "../state.ts";
import type { RiskClasses } from "./classes.ts";
import { addWeight, originFrom, SHARED_ORIGIN, splitLoss } from "./origins.ts";
import { type Measures, measuresOf } from "./params.ts";
import {
  type Move,
  type StressedAccount,
  type StressTest,
  shortfall,
  stressTest,
} from "./stress.ts";

const WAD = 10n ** 18n;
/** Of all funds together: no class is named so. */
const ALL = "*";

/** The two largest of what owners miss, of one fund in one stress. */
interface Cover {
  readonly move: Move;
  first: bigint;
  second: bigint;
}

class Covers {
  readonly #moves: readonly Move[];
  /** By fund, one of each stress. */
  readonly #covers = new Map<string, Cover[]>();

  constructor(moves: readonly Move[]) {
    this.#moves = moves;
  }

  /** What one owner misses in one stress, by fund. */
  add(stress: number, missed: ReadonlyMap<string, bigint>): void {
    for (const [fund, quanta] of missed) {
      let covers = this.#covers.get(fund);
      if (covers === undefined) {
        covers = this.#moves.map((move) => ({ move, first: 0n, second: 0n }));
        this.#covers.set(fund, covers);
      }
      const cover = covers[stress] as Cover;
      if (quanta > cover.first) {
        cover.second = cover.first;
        cover.first = quanta;
      } else cover.second = maximum(cover.second, quanta);
    }
  }

  /** The worst of the stresses; the first one of equals. */
  worst(fund: string): Cover | undefined {
    let worst: Cover | undefined;
    for (const cover of this.#covers.get(fund) ?? []) {
      if (worst === undefined || cover.first + cover.second > worst.first + worst.second) {
        worst = cover;
      }
    }
    return worst;
  }
}

interface Parts {
  readonly state: MarginState;
  readonly markets: ModelledMarkets;
  readonly insurance: InsurancePort;
  readonly classes: RiskClasses;
}

export function fundTargets(ctx: ReadContext, parts: Parts): QueryFundTargetsResponse {
  const { state, insurance } = parts;
  const { settlementDenom: denom } = state.params.require(ctx);
  const measures = measuresOf(state.waterfall.params.get(ctx));
  const test = stressTest(ctx, state, parts.markets);
  const covers = coversOf(ctx, parts, test, movesOf(ctx, parts, measures));
  const sizes = sizesOf(ctx, parts, test, measures);

  function target(fund: string, balance: bigint, available: bigint): FundTarget {
    const cover = covers.worst(fund);
    const two = cover === undefined ? 0n : cover.first + cover.second;
    const { tail = 0n, openInterest = 0n } = sizes.get(fund) ?? {};
    const most = maximum(maximum(two, tail), openInterest);
    return {
      riskClass: fund === ALL ? "" : fund,
      balance: balance.toString(),
      available: available.toString(),
      coverTwo: two.toString(),
      coverTwoMovePpm: two === 0n ? 0n : (cover?.move.movePpm ?? 0n),
      coverTwoFeedId: two === 0n ? 0 : (cover?.move.feedId ?? 0),
      tailShortfall: tail.toString(),
      openInterestShare: openInterest.toString(),
      target: most.toString(),
      fundedPpm: most === 0n ? "" : mulDivDown(balance, PPM, most).toString(),
    };
  }

  const funds = ["", ...insurance.riskClasses(ctx, denom)].map((fund) =>
    target(
      fund,
      insurance.fundBalance(ctx, denom, fund),
      insurance.fundAvailable(ctx, denom, fund),
    ),
  );
  const all = funds.reduce((sum, { available }) => sum + BigInt(available), 0n);
  return { funds, all: target(ALL, insurance.balance(ctx, denom), all) };
}

/** All underlyings together, then each alone. */
function movesOf(ctx: ReadContext, { markets }: Parts, { movesPpm }: Measures): Move[] {
  const feeds = new Set<number>([0]);
  for (const market of markets.marketIds(ctx)) {
    const feedId = markets.terms(ctx, market)?.feedId;
    if (feedId !== undefined) feeds.add(feedId);
  }
  const ascending = [...feeds].sort((a, b) => a - b);
  return ascending.flatMap((feedId) => movesPpm.map((movePpm) => ({ feedId, movePpm })));
}

/** The sub-accounts of an owner lie together, so one pass sees one owner after the other. */
function coversOf(
  ctx: ReadContext,
  { classes }: Parts,
  test: StressTest,
  moves: readonly Move[],
): Covers {
  const covers = new Covers(moves);
  let owner = "";
  let missed = moves.map(() => new Map<string, bigint>());
  const finish = (): void => {
    for (const [stress, funds] of missed.entries()) covers.add(stress, funds);
  };
  test.each(ctx, (account) => {
    const name = bytesToKey(ownerOf(account.id));
    if (name !== owner) {
      finish();
      owner = name;
      missed = moves.map(() => new Map());
    }
    for (const [stress, move] of moves.entries()) {
      const touched =
        move.feedId === 0 || account.positions.some(({ feedId }) => feedId === move.feedId);
      if (!touched && account.equity >= 0n) continue;
      addMissed(ctx, classes, test, account, move, missed[stress] as Map<string, bigint>);
    }
  });
  finish();
  return covers;
}

/** Charged to classes as a real loss would be. */
function addMissed(
  ctx: ReadContext,
  classes: RiskClasses,
  test: StressTest,
  account: StressedAccount,
  move: Move,
  missed: Map<string, bigint>,
): void {
  const values = test.values(ctx, account, move);
  let equity = account.equity;
  const weights = new Map<string, bigint>();
  for (const [i, position] of account.positions.entries()) {
    const value = values[i] ?? 0n;
    equity += value - position.value;
    addWeight(weights, classes.ofFeed(ctx, position.feedId), shortfall(value));
  }
  if (equity >= 0n) return;
  addWeight(missed, ALL, -equity);
  const origin = originFrom(weights) ?? SHARED_ORIGIN;
  for (const { riskClass, amount } of splitLoss(origin, -equity)) {
    addWeight(missed, riskClass, amount);
  }
}

/** Of linear markets the tail beyond the first tier's maintenance rate, on the share taken to stand at it; of all a share of their open interest. Rounded up. */
function sizesOf(
  ctx: ReadContext,
  { state, classes }: Parts,
  { views }: StressTest,
  { tail, openInterestPpm }: Measures,
): ReadonlyMap<string, { readonly tail: bigint; readonly openInterest: bigint }> {
  const sizes = new Map<string, { tail: bigint; openInterest: bigint }>();
  state.ledgers.each(ctx, (market, { longLots }) => {
    const view = longLots === 0n ? undefined : views(market);
    if (view === undefined) return;
    const open = longLots * view.notionalPerLot;
    const [tier] = view.terms.tiers;
    const rate = ((tier?.maintenancePpm ?? 0n) * WAD) / PPM;
    const beyond = view.losses === null ? worstExcess(tail, rate, WAD / 1000n) : 0n;
    const atMargin = mulDivUp(open, BigInt(tail.atMarginPpm), PPM);
    for (const fund of [classes.ofFeed(ctx, view.terms.feedId), ALL]) {
      const size = sizes.get(fund) ?? { tail: 0n, openInterest: 0n };
      size.tail += mulDivUp(atMargin, beyond, WAD);
      size.openInterest += mulDivUp(open, openInterestPpm, PPM);
      sizes.set(fund, size);
    }
  });
  return sizes;
}

/**
 * A market as accounts hold it that are judged as one portfolio: of each side how much a lot may have lost against the requirement of all, which
 * falls by what the value loses and by what the lot's risk array may raise it. Markets that the model says nothing of are charged as everywhere.
 */
import { absolute, divCeil, maximum, PPM } from "../../kit/math/mul-div.ts";
import type { MarketView, MarketViews } from "../health/market-view.ts";
import { arrayOf } from "../portfolio/account.ts";
import type { RiskArray } from "../portfolio/risk-array.ts";
import type { MarketId } from "../ports.ts";
import { gainOf, moveBoth, profitOf, resetBoth, type Seen, sameSeen, seen } from "./market-path.ts";
import { riseOf, sameUnderlying } from "./portfolio-rise.ts";
import type { Path, SidePath } from "./side-path.ts";

/** What is held back for concentration counts sizes and volatility this far above what they are. */
const ROOM_PPM = 250_000n;

const withRoom = (value: bigint): bigint => divCeil(value * (PPM + ROOM_PPM), PPM);

interface Known {
  readonly seen: Seen;
  /** Null: charged as everywhere. */
  readonly array: RiskArray | null;
}

export class PortfolioPath implements Path {
  readonly long: SidePath;
  readonly short: SidePath;
  readonly sides: readonly SidePath[];
  /** Null: without a price. */
  #last: Known | null = null;
  #changed = false;
  /** While levels stand a lot's delta, without sign, and the underlying's volatility stay below. */
  #delta = 0n;
  #volatility = 0n;

  constructor(long: SidePath, short: SidePath) {
    this.long = long;
    this.short = short;
    this.sides = [long, short];
  }

  get array(): RiskArray | null {
    return this.#last?.array ?? null;
  }

  /** Whether the array is another than when this was asked last. */
  takeChanged(): boolean {
    const changed = this.#changed;
    this.#changed = false;
    return changed;
  }

  get deltaMost(): bigint {
    return this.#delta;
  }

  get volatilityMost(): bigint {
    return this.#volatility;
  }

  /** True: how positions stand is no longer known, and all must be looked at. Without a price none can be. */
  advance(market: MarketId, views: MarketViews): boolean {
    const view = views(market);
    const last = this.#last;
    if (view === undefined) {
      this.#last = null;
      return false;
    }
    const next: Known = { seen: seen(view), array: arrayOf(views, market, view) };
    this.#last = next;
    if (last?.array !== next.array) this.#changed = true;
    if (last !== null && last.array === next.array && sameSeen(last.seen, next.seen)) return false;
    if (last !== null && this.#move(last, next)) return false;
    this.#reset(view, next.array);
    return true;
  }

  #reset(view: MarketView, array: RiskArray | null): void {
    resetBoth(this, view);
    this.#delta = 0n;
    this.#volatility = 0n;
    if (array === null) return;
    // A contract's slope comes and goes, up to the whole underlying's.
    const { delta, notional, underlying } = array;
    this.#delta = withRoom(maximum(absolute(BigInt(delta)), BigInt(notional)));
    this.#volatility = withRoom(underlying.state.volatility);
  }

  #move(last: Known, next: Known): boolean {
    if (last.array === null || next.array === null) {
      return (
        last.array === next.array && moveBoth(this, (side) => gainOf(last.seen, next.seen, side))
      );
    }
    const { delta, underlying } = next.array;
    if (absolute(BigInt(delta)) > this.#delta) return false;
    if (underlying.state.volatility > this.#volatility) return false;
    const rise = riseOf(last.array, next.array);
    if (rise === null) return false;
    return moveBoth(this, (side) => profitOf(last.seen, next.seen, side) * PPM - rise);
  }
}

/** Underlyings of whose arrays a requirement would take one for another: they have been made of different things. */
export function disagreeing(arrays: Iterable<RiskArray>): ReadonlySet<string> {
  const first = new Map<string, RiskArray>();
  const found = new Set<string>();
  for (const array of arrays) {
    const { name } = array.underlying.state;
    const one = first.get(name) ?? array;
    const ended = first.get(array.group) ?? array;
    first.set(name, one);
    first.set(array.group, ended);
    const same = sameUnderlying(one.underlying, array.underlying);
    if (!same || ended.yearsLeftPpm !== array.yearsLeftPpm) found.add(name);
  }
  return found;
}

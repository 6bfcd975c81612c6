/** Every level that somebody waits on, by what moves it. */
import type { AssetViews } from "../collateral-assets/backing.ts";
import type { MarketViews } from "../health/market-view.ts";
import type { MarketId } from "../ports.ts";
import { AssetPath, type CountedOf } from "./asset-path.ts";
import { type GainOf, MarketPath } from "./market-path.ts";
import { disagreeing, PortfolioPath } from "./portfolio-path.ts";
import { holdersOf, type Path, SidePath } from "./side-path.ts";

/** Of a market's positions each side has room for five eighths. */
const roomFor = (positions: number): number => (positions * 5) >> 3;

/** By what a market's sides and assets move. */
export interface Measures {
  readonly gain: GainOf;
  readonly counted: CountedOf;
}

export class Paths {
  readonly #measures: Measures;
  readonly #sides: (SidePath | null)[] = [];
  readonly #freeNumbers: number[] = [];
  readonly #markets: Map<MarketId, MarketPath> = new Map();
  /** As those hold them that are judged as portfolios. */
  readonly #portfolios: Map<MarketId, PortfolioPath> = new Map();
  readonly #assets: Map<string, AssetPath> = new Map();
  /** Underlyings of which they have been told different things. */
  #disagreeing: ReadonlySet<string> = new Set();
  /** Once for each market: who comes to it later was not counted. */
  readonly #expected: Map<MarketId, number>;

  /** Positions by market, both sides together. */
  constructor(measures: Measures, expected: ReadonlyMap<MarketId, number>) {
    this.#measures = measures;
    this.#expected = new Map(expected);
  }

  /** Of their typed arrays. */
  get byteLength(): number {
    return this.#sides.reduce((sum, side) => sum + (side?.thresholds.byteLength ?? 0), 0);
  }

  /** One that an account waits on. */
  side(number: number): SidePath {
    return this.#sides[number] as SidePath;
  }

  /** Made where nobody waits on it yet, at present views. */
  market(market: MarketId, views: MarketViews): MarketPath {
    let path = this.#markets.get(market);
    if (path === undefined) {
      const room = roomFor(this.#expected.get(market) ?? 0);
      this.#expected.delete(market);
      path = new MarketPath(this.#measures.gain, this.#add(room), this.#add(room));
      path.advance(views(market));
      this.#markets.set(market, path);
    }
    return path;
  }

  portfolio(market: MarketId, views: MarketViews): PortfolioPath {
    let path = this.#portfolios.get(market);
    if (path === undefined) {
      path = new PortfolioPath(this.#add(0), this.#add(0));
      path.advance(market, views);
      this.#portfolios.set(market, path);
    }
    return path;
  }

  asset(denom: string, views: AssetViews | undefined): AssetPath {
    let path = this.#assets.get(denom);
    if (path === undefined) {
      path = new AssetPath(this.#measures.counted, this.#add(0));
      path.advance(views?.(denom) ?? null);
      this.#assets.set(denom, path);
    }
    return path;
  }

  /** Everyone who waits on the side of a market, be it as it stands or as part of a portfolio. */
  waiting(market: MarketId, long: boolean, visit: (holder: number) => void): void {
    for (const path of [this.#markets.get(market), this.#portfolios.get(market)]) {
      if (path !== undefined) (long ? path.long : path.short).thresholds.each(visit);
    }
  }

  /** Brings all to present views, and tells of those whose threshold lies above its level, or who stand no one knows how. */
  refresh(views: MarketViews, see: (holder: number) => void): void {
    this.#advance(this.#markets, (path, market) => path.advance(views(market)), see);
    this.#advance(this.#portfolios, (path, market) => path.advance(market, views), see);
    this.#seeDisagreeing(see);
    this.#advance(this.#assets, (path, denom) => path.advance(views.asset?.(denom) ?? null), see);
  }

  #seeDisagreeing(see: (holder: number) => void): void {
    let changed = false;
    for (const path of this.#portfolios.values()) if (path.takeChanged()) changed = true;
    if (changed) {
      const arrays = [...this.#portfolios.values()].flatMap(({ array }) => array ?? []);
      this.#disagreeing = disagreeing(arrays);
    }
    if (this.#disagreeing.size === 0) return;
    for (const { array, sides } of this.#portfolios.values()) {
      if (array === null || !this.#disagreeing.has(array.underlying.state.name)) continue;
      for (const { thresholds } of sides) thresholds.each(see);
    }
  }

  #advance<K, P extends Path>(
    paths: Map<K, P>,
    isLost: (path: P, key: K) => boolean,
    see: (holder: number) => void,
  ): void {
    for (const [key, path] of paths) {
      if (holdersOf(path) === 0) {
        paths.delete(key);
        for (const { number } of path.sides) this.#drop(number);
        continue;
      }
      const lost = isLost(path, key);
      for (const { level, thresholds } of path.sides) {
        if (lost) thresholds.each(see);
        else thresholds.above(level, see);
      }
    }
  }

  #add(expected: number): SidePath {
    const number = this.#freeNumbers.pop() ?? this.#sides.length;
    const side = new SidePath(number, expected);
    this.#sides[number] = side;
    return side;
  }

  #drop(number: number): void {
    this.#sides[number] = null;
    this.#freeNumbers.push(number);
  }
}

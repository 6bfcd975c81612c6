/** Accounts of every kind in markets of every kind, and what happens to them: for tests that compare bounds with a scan of all. */
import { type AccountId, accountId } from "../../../kit/account-id.ts";
import { Registry } from "../../../kit/collections/schema.ts";
import type { WriteContext } from "../../../kit/context.ts";
import { WAD } from "../../../kit/math/fixed-point.ts";
import { absolute, divTrunc } from "../../../kit/math/mul-div.ts";
import { type TestContext, testContext } from "../../../kit/testing/context.ts";
import {
  type Account,
  emptyLedger,
  NO_ASSETS,
  NO_ELSEWHERE,
  type Position,
} from "../../account-codec.ts";
import { backingOf } from "../../collateral-assets/backing.ts";
import type { AssetView } from "../../collateral-assets/valuation.ts";
import { cashOf, maintenanceHealth } from "../../health/health.ts";
import type { MarketView, MarketViews } from "../../health/market-view.ts";
import type { MarketId } from "../../ports.ts";
import { type MarginState, marginState } from "../../state.ts";
import { Dice, moved } from "./dice.ts";
import { assetMoved, listed, listedAssets, stepped } from "./random-markets.ts";
import {
  FIRST_MODELLED,
  LAST_MODELLED,
  listedModel,
  type ModelledWorld,
  modelMoved,
} from "./random-models.ts";

export const ACCOUNTS = 20;
/** The first so many owners have four sub-accounts each. */
const OWNERS_OF_FOUR = 3;

export type Kind = "plain" | "backed" | "portfolio";

export function kindOf({ assets, portfolio }: Account): Kind {
  if (portfolio) return "portfolio";
  return assets.length > 0 ? "backed" : "plain";
}

/** All that health depends on beside the accounts. */
export interface Moment {
  readonly plain: ReadonlyMap<MarketId, MarketView | undefined>;
  readonly modelled: ModelledWorld;
  /** Denoms that are no collateral any more have null. */
  readonly assets: ReadonlyMap<string, AssetView | null>;
}

export class RandomWorld {
  readonly dice: Dice;
  readonly ctx: TestContext;
  readonly state: MarginState;
  readonly ids: readonly AccountId[];
  /** Now. */
  moment: Moment;

  constructor(seed: number) {
    const dice = new Dice(seed);
    const registry = new Registry();
    this.dice = dice;
    this.state = marginState(registry.schema("margin"));
    this.ctx = testContext(registry);
    const plain = new Map<MarketId, MarketView | undefined>();
    for (let market = 1; market < FIRST_MODELLED; market++)
      plain.set(market, dice.oneIn(5) ? undefined : listed(dice, market));
    this.moment = { plain, modelled: listedModel(dice), assets: listedAssets() };
    for (let market = 1; market <= LAST_MODELLED; market++)
      this.state.ledgers.set(this.ctx, market, { ...emptyLedger(market), positions: 1n });
    this.ids = Array.from({ length: ACCOUNTS }, (_, i) => {
      const owned = i < OWNERS_OF_FOUR * 4;
      const bytes = new Uint8Array(20);
      bytes[3] = owned ? i >> 2 : i;
      return accountId(bytes, owned ? i & 3 : 0);
    });
    for (const id of this.ids) this.rewrite(this.ctx, id);
  }

  views({ assets, modelled, plain }: Moment = this.moment): MarketViews {
    const { arrays, views } = modelled;
    const read: MarketViews = (market) =>
      market < FIRST_MODELLED ? plain.get(market) : views[market - FIRST_MODELLED];
    return Object.assign(read, {
      riskArray: (market: MarketId) => arrays[market - FIRST_MODELLED] ?? null,
      asset: (denom: string) => assets.get(denom) ?? null,
    });
  }

  /** What only prices, parameters and time do. */
  move(): void {
    const { dice, moment } = this;
    const plain = new Map(moment.plain);
    for (const [market, view] of plain) {
      if (dice.oneIn(2)) plain.set(market, stepped(dice, market, view));
    }
    const modelled = dice.oneIn(2) ? modelMoved(dice, moment.modelled) : moment.modelled;
    const assets = new Map(moment.assets);
    for (const [denom, view] of assets) {
      if (view === null) assets.set(denom, listedAssets().get(denom) ?? null);
      else assets.set(denom, dice.oneIn(60) ? null : assetMoved(dice, view));
    }
    this.moment = { plain, modelled, assets };
  }

  /** What a dropped proposal leaves behind: prices that were seen, writes that are undone. */
  dropping(body: () => void): void {
    const { moment } = this;
    const savepoint = this.ctx.state.savepoint();
    body();
    this.ctx.state.revert(savepoint);
    this.moment = moment;
  }

  /** What an account has over at a moment, of maintenance or of what it may owe; null: it cannot be judged then. */
  slack(account: Account, moment: Moment, of: "maintenance" | "debt"): bigint | null {
    const views = this.views(moment);
    if (of === "debt") {
      const cash = cashOf(account, views);
      return cash === null ? null : cash + backingOf(account.assets, views.asset).debtMax;
    }
    const health = maintenanceHealth(account, views);
    return health === null ? null : health.equity - health.maintenance;
  }

  /** Gives each account so much that at the worst of these moments, all later than now, it is a quantum short, some with assets of what backs their debt. */
  putOnEdge(later: readonly Moment[]): void {
    const { ctx, state } = this;
    for (const id of this.ids) {
      const account = state.accounts.get(ctx, id) as Account;
      const of = account.assets.length > 0 && this.dice.oneIn(2) ? "debt" : "maintenance";
      const now = this.slack(account, this.moment, of);
      if (now === null) continue;
      let worst: bigint | null = null;
      for (const moment of later) {
        const then = this.slack(account, moment, of);
        if (then !== null && (worst === null || then < worst)) worst = then;
      }
      if (worst === null || worst >= now) continue;
      state.accounts.set(ctx, id, { ...account, collateral: account.collateral - worst - 1n });
    }
  }

  any(): AccountId {
    return this.dice.pick(this.ids);
  }

  /** Anything that writes an account: a trade, a deposit, a loss of collateral, a change of mode. */
  rewrite(ctx: WriteContext, id: AccountId): void {
    const { dice, state } = this;
    const known = state.accounts.get(ctx, id);
    if (known !== undefined && dice.oneIn(25)) {
      state.accounts.delete(ctx, id);
      this.#index(ctx, id, undefined);
      return;
    }
    const positions = known === undefined || dice.oneIn(2) ? this.#positions() : known.positions;
    const gross = this.#gross(positions);
    const made: Account = {
      collateral: dice.between(divTrunc(-gross, 20n), gross) + dice.between(0n, 5n),
      feeReserve: 0n,
      portfolio: this.#judgedWhole(id, known),
      isolated: false,
      positions,
      assets: known !== undefined && dice.oneIn(2) ? known.assets : this.#backing(gross),
      elsewhere: NO_ELSEWHERE,
    };
    state.accounts.set(ctx, id, made);
    this.#index(ctx, id, made);
    if (dice.oneIn(2)) this.#putNear(ctx, id, gross);
  }

  /** So much over its requirement that a few moves may take it. */
  #putNear(ctx: WriteContext, id: AccountId, gross: bigint): void {
    const account = this.state.accounts.get(ctx, id) as Account;
    const of = account.assets.length > 0 && this.dice.oneIn(3) ? "debt" : "maintenance";
    const slack = this.slack(account, this.moment, of);
    if (slack === null) return;
    const wanted = this.dice.between(0n, divTrunc(gross, this.dice.oneIn(2) ? 50n : 8n) + 1n);
    const collateral = account.collateral + wanted - slack;
    this.state.accounts.set(ctx, id, { ...account, collateral });
  }

  #index(ctx: WriteContext, id: AccountId, account: Account | undefined): void {
    const { active, assets, portfolios } = this.state;
    // As whoever takes the last asset away does.
    if (account === undefined || account.assets.length === 0) assets.judged.delete(ctx, id);
    if (account?.positions.some(({ lots }) => lots !== 0n) === true) active.set(ctx, id, true);
    else active.delete(ctx, id);
    if (account?.portfolio === true) portfolios.set(ctx, id, true);
    else portfolios.delete(ctx, id);
  }

  /** Of each owner at most the first: a third of all owners, changing their mind now and then. */
  #judgedWhole(id: AccountId, known: Account | undefined): boolean {
    const index = this.ids.indexOf(id);
    const may = index < OWNERS_OF_FOUR * 4 ? index % 4 === 0 : index % 2 === 0;
    if (known !== undefined && !this.dice.oneIn(20)) return known.portfolio;
    return may && !this.dice.oneIn(4);
  }

  #gross(positions: readonly Position[]): bigint {
    const views = this.views();
    return positions.reduce((sum, { lots, market }) => {
      return sum + absolute(lots) * (views(market)?.notionalPerLot ?? 0n);
    }, 0n);
  }

  #positions(): Position[] {
    const { dice } = this;
    const views = this.views();
    const positions: Position[] = [];
    // Some are only in what the model speaks of, some hold a little of everything, some next to nothing.
    const first = dice.oneIn(3) ? FIRST_MODELLED : 1;
    const rare = dice.oneIn(3) ? 6 : 3;
    for (let market = first; market <= LAST_MODELLED; market++) {
      const view = views(market);
      if (view === undefined || !dice.oneIn(rare)) continue;
      const size = dice.between(0n, dice.oneIn(3) ? 3n : 2_000n);
      const lots = dice.oneIn(2) ? size : -size;
      const openBuyLots = dice.between(0n, 5n);
      if (lots === 0n && openBuyLots === 0n) continue;
      positions.push({
        market,
        lots,
        quote: -lots * moved(dice, view.quantaPerLot + 1n),
        fundingIndex: lots === 0n ? 0n : view.fundingIndex - dice.between(-3n, 3n),
        openBuyLots,
        openSellLots: 0n,
      });
    }
    return positions;
  }

  /** Some are backed by assets, each worth up to what they hold. */
  #backing(gross: bigint): Account["assets"] {
    const { dice } = this;
    if (!dice.oneIn(4)) return NO_ASSETS;
    return [...this.moment.assets].flatMap(([denom, view]) => {
      if (view === null || dice.oneIn(3)) return [];
      const units = 10n ** BigInt(view.terms.decimals - 6);
      const most = divTrunc(gross * units * WAD, view.price === 0n ? 1n : view.price);
      return [{ denom, units: dice.between(1n, most + 2n) }];
    });
  }
}

/** One tape on the real modules: block by block, with everybody's quotes and orders, until the tape ends or something does not hold. */
import { QueryFundRequest, QueryFundResponse } from "@keel/proto/gen/keel/insurance/v1/query";
import { QueryBalanceRequest, QueryBalanceResponse } from "cosmjs-types/cosmos/bank/v1beta1/query";
import { DepthGauge } from "../agents/depth.ts";
import { Impact } from "../agents/impact.ts";
import { openingOf, populate } from "../agents/population.ts";
import type { Outcome } from "../measures/outcome.ts";
import { MINUTE_MS, type Tape, type TapeStep } from "../tape/tape.ts";
import { ATTACKERS, ATTACKERS_COUNT, Attackers, gained, LIAR_SHARE } from "./attackers.ts";
import { type Seen, see, UNIT } from "./books.ts";
import { Crowd } from "./crowd.ts";
import { DENOM, listings } from "./markets.ts";
import { Quoting, worth } from "./quoting.ts";
import { Watch } from "./watch.ts";
import { type ChainVariant, GENESIS_MS, openWorld, type World } from "./world.ts";

export interface PlayOptions {
  readonly tape: Tape;
  readonly seed: number;
  readonly blockMs: number;
  /** Full scan of all invariants every so many blocks. */
  readonly scanEvery: number;
}

export interface ChainOptions extends PlayOptions {
  readonly accounts: number;
  /** Settlement units in the fund at the start. */
  readonly fund: number;
  readonly variant: ChainVariant;
}

export interface ChainOutcome extends Outcome {
  readonly blocks: number;
  readonly transactions: number;
  readonly refused: number;
  readonly quarantined: readonly string[];
  readonly contained: readonly string[];
  /** The first invariant that did not hold, or sum that was not zero; null: none. */
  readonly broken: string | null;
  /** Largest distance of the chain's price from what honest validators reported, as a share, while a quarter of power lied. */
  readonly manipulatorShift: number;
  /** Most that two accounts of one owner had more after a block in which they deposited, traded with each other far from mark and withdrew; judged when they held nothing before. */
  readonly gainedInOneBlock: number;
  /** What they have more than they brought at the end: they walk away from the side that lost. */
  readonly gainedByPair: number;
  readonly gainedByLatency: number;
  /** Notional that bidders bought in the auctions; part of what was liquidated. */
  readonly auctionedNotional: number;
  /** Times in which more had to be closed in a market than its book was given. */
  readonly throttled: number;
  /** Of the guard: ranges that were left, gaps noticed, moves of its controllers, and blocks in which the first market did not trade. */
  readonly rangesLeft: number;
  readonly outages: number;
  readonly controllerMoves: number;
  readonly blocksHalted: number;
  /** Events `loss`, each of which summed to zero. */
  readonly losses: number;
}

/** Keel's own tiers, in floating point, for what may be opened: 5 % to a million, 10 % to ten, 20 % beyond. */
export function keelInitial(_underlying: number, notional: number): number {
  const million = 1_000_000;
  return (
    0.05 * Math.min(notional, million) +
    0.1 * Math.min(Math.max(notional - million, 0), 9 * million) +
    0.2 * Math.max(notional - 10 * million, 0)
  );
}

export async function runOnChain(options: ChainOptions): Promise<ChainOutcome> {
  const { variant, fund, seed } = options;
  const agents = populate(options.accounts, seed);
  const opening = openingOf(agents, keelInitial);
  const world = await openWorld({
    ...{ agents, opening, variant, listings: listings(GENESIS_MS) },
    fund: fund + (variant.moreFund ?? 0),
  });
  return play(world, options);
}

export function play(world: World, options: PlayOptions): Promise<ChainOutcome> {
  return new ChainRun(world, options).play();
}

class ChainRun {
  readonly #options: PlayOptions;
  readonly #world: World;
  readonly #watch: Watch;
  readonly #attackers: Attackers;
  readonly #crowd: Crowd;
  readonly #quoting: Quoting;
  readonly #gauge = new DepthGauge();
  readonly #impact: Impact;
  #seen: Seen;
  #blocks = 0;
  #transactions = 0;
  #refused = 0;
  #shift = 0;
  #depth = 1;
  #paidBefore = 0n;
  #gainedInOneBlock = Number.NEGATIVE_INFINITY;

  constructor(world: World, options: PlayOptions) {
    this.#options = options;
    this.#world = world;
    this.#impact = new Impact(world.size);
    this.#watch = new Watch(world.agents, world.texts, world.start);
    const first = world.firstAttacker;
    this.#attackers = new Attackers(
      world.traders.slice(first, first + ATTACKERS_COUNT).map(({ address }) => address),
    );
    this.#crowd = new Crowd(world, options.seed);
    this.#quoting = new Quoting(world);
    this.#seen = see(world.chain.app, world.ids);
  }

  async play(): Promise<ChainOutcome> {
    const { tape, blockMs } = this.#options;
    const every = Math.max(1, Math.round(blockMs / tape.stepMs));
    const steps = tape.steps.filter((step, i) => i % every === 0 && step.open);
    const wallets = await this.#wallets();
    this.#paidBefore = (await this.#fund()).paid;
    let broken: string | null = null;
    for (const [i, step] of steps.entries()) {
      broken = await this.#block(step, steps[i + 1] ?? step);
      if (broken !== null) break;
    }
    const after = await this.#wallets();
    const gain = (...accounts: number[]): number =>
      accounts.reduce((sum, one) => {
        const own = this.#seen.accounts[this.#world.firstAttacker + one];
        return sum + gained(wallets[one] ?? 0n, after[one] ?? 0n, own?.equity ?? 0n);
      }, 0);
    return {
      ...this.#watch.outcome(this.#seen),
      ...this.#watch.ladder,
      ...{ blocks: this.#blocks, transactions: this.#transactions, refused: this.#refused },
      quarantined: this.#seen.quarantined,
      contained: this.#world.chain.faults.map(({ where, error }) => `${where}: ${error.message}`),
      broken,
      manipulatorShift: this.#shift,
      gainedInOneBlock: this.#gainedInOneBlock,
      gainedByPair: gain(ATTACKERS.buyer, ATTACKERS.seller),
      gainedByLatency: gain(ATTACKERS.latency),
    };
  }

  async #block(step: TapeStep, next: TapeStep): Promise<string | null> {
    const { blockMs } = this.#options;
    const world = this.#world;
    const factors = step.index.map((_, u) => this.#impact.factor(u));
    const reported = step.reported.map((level, u) => level * (factors[u] ?? 1));
    const truth = step.index.map((level, u) => level / (step.reported[u] ?? 1));
    const market = (step.index[0] ?? 1) * (factors[0] ?? 1);
    this.#depth = Math.min(step.depthMax, this.#gauge.observe(step.atMs, market));
    world.setTime(world.beginsMs + step.atMs);
    const before = this.#seen;
    const sight = {
      minute: Math.floor(step.atMs / MINUTE_MS),
      move: market - 1,
      premium: market / (step.index[0] ?? 1),
    };
    const txs = [
      ...this.#quoting.txs(before, this.#blocks, {
        ...{ reported, truth, depth: this.#depth, nowMs: world.beginsMs + step.atMs },
      }),
      ...this.#crowd.txs(before, sight, step.atMs, blockMs),
      ...this.#attacks((next.reported[0] ?? 1) / (step.reported[0] ?? 1) - 1),
    ];
    const honest = world.reports(reported, step.volatility);
    const low = reported.map((level) => level * (1 - LIAR_SHARE));
    const lying = world.reports(low, step.volatility);
    const attacked = this.#attackers.strikes(this.#blocks + 1) && this.#pairIsFlat();
    const pairBefore = attacked ? await this.#pair() : 0n;
    // In a copy of somebody's chain nobody attacks: under a guard of its feeds a quarter that lies would stop every price.
    const liar = world.firstAttacker < world.traders.length ? 0 : null;
    const response = await world.decide((one) => (one === liar ? lying : honest), txs);
    this.#blocks += 1;
    this.#transactions += txs.length;
    this.#refused += response.txResults.filter(({ code }) => code !== 0).length;
    const after = see(world.chain.app, world.ids);
    this.#seen = after;
    if (attacked) {
      const more = Number((await this.#pair()) - pairBefore) / UNIT;
      this.#gainedInOneBlock = Math.max(this.#gainedInOneBlock, more);
    }
    this.#seeShift(reported);
    const fund = await this.#fund();
    const makers = this.#watch.block({
      ...{ atMs: step.atMs, stepMs: blockMs, before, after, response, depth: this.#depth },
      ...{ fund: fund.balance, fundPaid: fund.paid - this.#paidBefore, fundFunded: fund.funded },
      outside: step.index[0] ?? 1,
      mark: market,
    });
    this.#move(before, after, makers);
    this.#impact.pass(blockMs, this.#depth);
    return this.#violation();
  }

  /** Only then is what a block brings them the attack's and not the market's. */
  #pairIsFlat(): boolean {
    return [ATTACKERS.buyer, ATTACKERS.seller].every((one) => {
      const own = this.#seen.accounts[this.#world.firstAttacker + one];
      return own?.account.positions.every(({ lots }) => lots === 0n) ?? true;
    });
  }

  /** What the two have together, in wallets and on the chain, below zero included. */
  async #pair(): Promise<bigint> {
    const wallets = await this.#wallets();
    return [ATTACKERS.buyer, ATTACKERS.seller].reduce((sum, one) => {
      const own = this.#seen.accounts[this.#world.firstAttacker + one];
      return sum + (wallets[one] ?? 0n) + (own?.equity ?? 0n);
    }, 0n);
  }

  /** How far the mark is from what honest validators said: what the liar achieved. */
  #seeShift(reported: readonly number[]): void {
    for (const [id, { underlying, option, openedAt }] of this.#world.listed) {
      const mark = this.#seen.markets.get(id)?.mark;
      if (option || mark === undefined) continue;
      const honest = openedAt * (reported[underlying] ?? 1);
      this.#shift = Math.max(this.#shift, Math.abs(Number(mark.quantaPerLot) / honest - 1));
    }
  }

  /** What the crowd took from makers moves everybody's price. */
  #move(before: Seen, after: Seen, makers: ReadonlyMap<number, bigint>): void {
    const net = new Map(makers);
    for (const [sign, seen] of [[-1n, before] as const, [1n, after] as const])
      for (const [i, one] of seen.accounts.entries()) {
        const role = this.#world.agents[i]?.role;
        if (one === undefined || role === "maker" || role === "keeper") continue;
        for (const { market, lots } of one.account.positions)
          net.set(market, (net.get(market) ?? 0n) + sign * lots);
      }
    for (const [id, lots] of net) {
      const listed = this.#world.listed.get(id);
      const market = after.markets.get(id);
      if (listed === undefined || listed.option || market === undefined || lots === 0n) continue;
      const notional = worth(lots, market);
      const way = notional > 0 ? "buy" : "sell";
      this.#impact.take(listed.underlying, way, Math.abs(notional), this.#depth);
    }
  }

  #attacks(nextMove: number): Uint8Array[] {
    const world = this.#world;
    const [id = 0] = [...world.listed].find(([, one]) => !one.option) ?? [];
    const market = this.#seen.markets.get(id);
    const first = world.firstAttacker;
    if (market === undefined || first >= world.traders.length) return [];
    const own = this.#seen.accounts.slice(first, first + ATTACKERS_COUNT);
    return this.#attackers
      .block(this.#blocks + 1, market, own, nextMove)
      .map(({ account, message }) => world.send(first + account, [message]));
  }

  #violation(): string | null {
    const { chain } = this.#world;
    const [fault] = chain.faults;
    if (fault !== undefined) return `contained fault in ${fault.where}: ${fault.error.message}`;
    const [market] = this.#seen.quarantined;
    if (market !== undefined) return `market ${market} was quarantined`;
    if (this.#watch.fault !== null) return this.#watch.fault;
    if (this.#blocks % this.#options.scanEvery !== 0) return null;
    const violation = chain.app.brokenInvariant();
    return violation === null ? null : `invariant ${violation.name}: ${violation.detail}`;
  }

  async #fund(): Promise<Record<"balance" | "paid" | "funded", bigint>> {
    const data = QueryFundRequest.encode({ riskClass: "", denom: DENOM }).finish();
    const value = await this.#query("/keel.insurance.v1.Query/Fund", data);
    const { fund } = QueryFundResponse.decode(value);
    const of = (text: string | undefined): bigint =>
      BigInt(text === undefined || text === "" ? "0" : text);
    return { balance: of(fund?.balance), paid: of(fund?.paid), funded: of(fund?.funded) };
  }

  #wallets(): Promise<bigint[]> {
    const first = this.#world.firstAttacker;
    const owners = this.#world.traders.slice(first, first + ATTACKERS_COUNT);
    return Promise.all(
      owners.map(async ({ address }) => {
        const data = QueryBalanceRequest.encode({ address, denom: DENOM }).finish();
        const value = await this.#query("/cosmos.bank.v1beta1.Query/Balance", data);
        return BigInt(QueryBalanceResponse.decode(value).balance?.amount ?? "0");
      }),
    );
  }

  async #query(path: string, data: Uint8Array): Promise<Uint8Array> {
    const { app } = this.#world.chain;
    const { code, log, value } = await app.query({ path, data, height: 0, prove: false });
    if (code !== 0) throw new Error(`${path}: ${log}`);
    return value;
  }
}

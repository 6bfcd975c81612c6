/** One tape on the real modules: block by block, with everybody's quotes and orders, until the tape ends or something does not hold. */

import { QueryFundRequest, QueryFundResponse } from "@keel/proto/gen/keel/insurance/v1/query";
import { QueryBalanceRequest, QueryBalanceResponse } from "cosmjs-types/cosmos/bank/v1beta1/query";
import { DepthGauge } from "../agents/depth.ts";
import { Impact } from "../agents/impact.ts";
import { decidesAt, type Intention, intentionOf } from "../agents/intentions.ts";
import { type Agent, openingOf, populate } from "../agents/population.ts";
import type { Outcome } from "../measures/outcome.ts";
import { MINUTE_MS, type Tape, type TapeStep } from "../tape/tape.ts";
import { ATTACKERS, ATTACKERS_COUNT, Attackers, LIAR_SHARE } from "./attackers.ts";
import { type Seen, type SeenMarket, see, UNIT } from "./books.ts";
import { DENOM, quantaOf } from "./genesis.ts";
import { keeperQuotes, makerQuotes, type QuotedMarket } from "./makers.ts";
import { type Listing, listings } from "./markets.ts";
import { cancelAll, deposit, type Order, place, quoteAll } from "./orders.ts";
import { Watch } from "./watch.ts";
import { type ChainVariant, GENESIS_MS, openWorld, reportsAt, type World } from "./world.ts";

export interface ChainOptions {
  readonly tape: Tape;
  readonly accounts: number;
  readonly seed: number;
  readonly blockMs: number;
  /** Settlement units in the fund at the start. */
  readonly fund: number;
  /** Full scan of all invariants every so many blocks. */
  readonly scanEvery: number;
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
  /** Units that attackers have more than they brought. */
  readonly gainedInOneBlock: number;
  readonly gainedByLatency: number;
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

/** A requote when mark or depth moved by so much, and at the latest after so many blocks. */
const REQUOTE_MOVE = 0.0005;
const REQUOTE_DEPTH = 0.15;
const REQUOTE_BLOCKS = 8;
/** From mark, of an order that takes what there is. */
const TAKER_REACH = 0.04;
const BEGINS_MS = GENESIS_MS + 10_000;

export async function runOnChain(options: ChainOptions): Promise<ChainOutcome> {
  const agents = populate(options.accounts, options.seed);
  const opening = openingOf(agents, keelInitial);
  const listed = listings(GENESIS_MS);
  const { variant, fund } = options;
  const world = await openWorld({ agents, opening, listings: listed, fund, variant });
  return new ChainRun(options, world, agents, listed, {
    openInterest: opening.openInterest,
    collateral: agents.reduce((sum, agent) => sum + agent.collateral, 0),
    fundAtStart: fund,
  }).play();
}

class ChainRun {
  readonly #options: ChainOptions;
  readonly #world: World;
  readonly #agents: readonly Agent[];
  readonly #listed: readonly Listing[];
  readonly #watch: Watch;
  readonly #attackers: Attackers;
  readonly #gauge = new DepthGauge();
  readonly #impact = new Impact();
  readonly #paidIn: number[];
  readonly #reserve: number[];
  #seen: Seen;
  #blocks = 0;
  #transactions = 0;
  #refused = 0;
  #shift = 0;
  #quoted = { mark: 0, depth: 0, block: 0 };
  #depth = 1;
  readonly #keepers: number;

  constructor(
    options: ChainOptions,
    world: World,
    agents: readonly Agent[],
    listed: readonly Listing[],
    start: ConstructorParameters<typeof Watch>[2],
  ) {
    this.#options = options;
    this.#world = world;
    this.#agents = agents;
    this.#listed = listed;
    this.#watch = new Watch(agents, world.texts, start);
    const first = world.firstAttacker;
    this.#attackers = new Attackers(
      world.traders.slice(first, first + ATTACKERS_COUNT).map(({ address }) => address),
    );
    this.#keepers = agents.filter(({ role }) => role === "keeper").length;
    this.#paidIn = agents.map(({ collateral }) => collateral);
    this.#reserve = agents.map(({ reserve }) => reserve);
    this.#seen = see(world.chain.app, world.ids);
  }

  async play(): Promise<ChainOutcome> {
    const { tape, blockMs } = this.#options;
    const every = Math.max(1, Math.round(blockMs / tape.stepMs));
    const steps = tape.steps.filter((step, i) => i % every === 0 && step.open);
    const wallets = await this.#wallets();
    let broken: string | null = null;
    for (const [i, step] of steps.entries()) {
      broken = await this.#block(step, steps[i + 1] ?? step);
      if (broken !== null) break;
    }
    const { chain } = this.#world;
    const after = await this.#wallets();
    const equity = (account: number): bigint => {
      const own = this.#seen.accounts[this.#world.firstAttacker + account]?.equity ?? 0n;
      return own > 0n ? own : 0n;
    };
    const gained = (...accounts: number[]): number =>
      accounts.reduce(
        (sum, one) => sum + Attackers.gained(wallets[one] ?? 0n, after[one] ?? 0n, equity(one)),
        0,
      );
    return {
      ...this.#watch.outcome(this.#seen),
      ...{ blocks: this.#blocks, transactions: this.#transactions, refused: this.#refused },
      quarantined: this.#seen.quarantined,
      contained: chain.faults.map(({ where, error }) => `${where}: ${error.message}`),
      broken,
      manipulatorShift: this.#shift,
      gainedInOneBlock: gained(ATTACKERS.buyer, ATTACKERS.seller),
      gainedByLatency: gained(ATTACKERS.latency),
    };
  }

  async #block(step: TapeStep, next: TapeStep): Promise<string | null> {
    const { chain } = this.#world;
    const factors = step.index.map((_, u) => this.#impact.factor(u));
    const reported = step.reported.map((level, u) => level * (factors[u] ?? 1));
    const truth = step.index.map((level, u) => level / (step.reported[u] ?? 1));
    const market = (step.index[0] ?? 1) * (factors[0] ?? 1);
    this.#depth = Math.min(step.depthMax, this.#gauge.observe(step.atMs, market));
    this.#world.setTime(BEGINS_MS + step.atMs);
    const before = this.#seen;
    const nextMove = ((next.reported[0] ?? 1) / (step.reported[0] ?? 1)) * 1 - 1;
    const txs = [
      ...this.#quotes(reported, truth),
      ...this.#wishes(step, market),
      ...this.#attacks(nextMove),
    ];
    const honest = reportsAt(reported, step.volatility);
    const lying = reportsAt(
      reported.map((level) => level * (1 - LIAR_SHARE)),
      step.volatility,
    );
    const response = await this.#world.decide(
      (validator) => (validator === 0 ? lying : honest),
      txs,
    );
    this.#blocks += 1;
    this.#transactions += txs.length;
    this.#refused += response.txResults.filter(({ code }) => code !== 0).length;
    const after = see(chain.app, this.#world.ids);
    this.#seen = after;
    const mark = after.markets.get(1);
    if (mark !== undefined)
      this.#shift = Math.max(
        this.#shift,
        Math.abs(Number(mark.mark.ticks) / 10 / (100_000 * (reported[0] ?? 1)) - 1),
      );
    const fund = await this.#fund();
    const makers = this.#watch.block({
      ...{ atMs: step.atMs, stepMs: this.#options.blockMs, before, after, response },
      ...{ fund: fund.balance, fundPaid: fund.paid, depth: this.#depth },
      outside: step.index[0] ?? 1,
      mark: market,
    });
    this.#move(before, after, makers);
    this.#impact.pass(this.#options.blockMs, this.#depth);
    return this.#violation();
  }

  /** What the crowd took from makers moves everybody's price. */
  #move(before: Seen, after: Seen, makers: ReadonlyMap<number, bigint>): void {
    const isCrowd = (i: number): boolean => {
      const role = this.#agents[i]?.role;
      return role !== "maker" && role !== "keeper";
    };
    const net = new Map<number, bigint>();
    for (const [sign, seen] of [
      [-1n, before],
      [1n, after],
    ] as const)
      for (const [i, one] of seen.accounts.entries())
        if (one !== undefined && isCrowd(i))
          for (const { market, lots } of one.account.positions)
            net.set(market, (net.get(market) ?? 0n) + sign * lots);
    for (const [market, lots] of net) {
      const listing = this.#listed[market - 1];
      const mark = after.markets.get(market)?.mark;
      const flow = lots + (makers.get(market) ?? 0n);
      if (listing === undefined || listing.option || mark === undefined || flow === 0n) continue;
      const notional = Number(flow * mark.quantaPerLot) / UNIT;
      this.#impact.take(
        listing.underlying,
        notional > 0 ? "buy" : "sell",
        Math.abs(notional),
        this.#depth,
      );
    }
  }

  #quotes(reported: readonly number[], truth: readonly number[]): Uint8Array[] {
    const mark = reported[0] ?? 1;
    const { depth, block } = this.#quoted;
    const moved =
      Math.abs(mark / this.#quoted.mark - 1) > REQUOTE_MOVE ||
      Math.abs(this.#depth / depth - 1) > REQUOTE_DEPTH ||
      this.#blocks - block >= REQUOTE_BLOCKS;
    if (this.#blocks > 0 && !moved) return [];
    const keepers = this.#blocks === 0 || this.#blocks - block >= REQUOTE_BLOCKS;
    this.#quoted = { mark, depth: this.#depth, block: this.#blocks };
    const markets = this.#quotedMarkets(reported, truth);
    const txs: Uint8Array[] = [];
    let maker = 0;
    for (const agent of this.#agents) {
      if (agent.role !== "maker" && !(agent.role === "keeper" && keepers)) continue;
      const orders =
        agent.role === "maker"
          ? markets.flatMap((market) => makerQuotes(market, maker, this.#depth))
          : markets.flatMap((market) => keeperQuotes(market, this.#keepers));
      if (agent.role === "maker") maker += 1;
      const { address } = this.#world.traders[agent.index] as { address: string };
      txs.push(this.#world.send(agent.index, [cancelAll(address), quoteAll(address, orders)]));
    }
    return txs;
  }

  /** Marks as they will be once this block's votes are in; options keep the mark of the block before. */
  #quotedMarkets(reported: readonly number[], truth: readonly number[]): QuotedMarket[] {
    return this.#listed.flatMap((listing, i) => {
      const seen = this.#seen.markets.get(i + 1);
      if (seen === undefined || seen.instrument.status !== "active") return [];
      const { underlying, option } = listing;
      const mark = option
        ? seen.mark
        : at(seen, Number(listing.openedAt) * (reported[underlying] ?? 1));
      return [
        { instrument: seen.instrument, mark, underlying, option, truth: truth[underlying] ?? 1 },
      ];
    });
  }

  #wishes(step: TapeStep, market: number): Uint8Array[] {
    const premium = market / (step.index[0] ?? 1);
    const sight = { minute: Math.floor(step.atMs / MINUTE_MS), move: market - 1, premium };
    const txs: Uint8Array[] = [];
    for (const agent of this.#agents) {
      if (!decidesAt(agent, step.atMs, this.#options.blockMs)) continue;
      const seen = this.#seen.accounts[agent.index];
      if (seen === undefined) continue;
      const notional = [0, 0];
      for (const { market: id, lots } of seen.account.positions) {
        const { mark } = this.#seen.markets.get(id) ?? {};
        const listing = this.#listed[id - 1];
        if (mark !== undefined && listing !== undefined && !listing.option)
          notional[listing.underlying] = Number(lots * mark.quantaPerLot) / UNIT;
      }
      const intention = intentionOf(
        agent,
        {
          equity: Number(seen.equity) / UNIT,
          maintenance: Number(seen.maintenance) / UNIT,
          paidIn: this.#paidIn[agent.index] ?? 0,
          reserve: this.#reserve[agent.index] ?? 0,
          notional,
        },
        sight,
        this.#options.seed,
      );
      if (intention !== null) txs.push(...this.#sent(agent, intention));
    }
    return txs;
  }

  #sent(agent: Agent, intention: Intention): Uint8Array[] {
    const { address } = this.#world.traders[agent.index] as { address: string };
    if (intention.kind === "top-up") {
      this.#reserve[agent.index] = (this.#reserve[agent.index] ?? 0) - intention.amount;
      this.#paidIn[agent.index] = (this.#paidIn[agent.index] ?? 0) + intention.amount;
      return [this.#world.send(agent.index, [deposit(address, quantaOf(intention.amount))])];
    }
    const id = this.#listed.findIndex((one) => one.underlying === intention.underlying) + 1;
    const seen = this.#seen.markets.get(id);
    if (seen === undefined) return [];
    const lots = Math.floor(
      (Math.abs(intention.notional) * UNIT) / Number(seen.mark.notionalPerLot),
    );
    if (lots === 0) return [];
    const side = intention.notional > 0 ? "buy" : "sell";
    const reach = 1 + (side === "buy" ? TAKER_REACH : -TAKER_REACH);
    const order: Order = {
      ...{ instrument: seen.instrument, side, lots, kind: "immediate" },
      ticks: Math.round(Number(seen.mark.ticks) * reach),
      reduceOnly: intention.reduceOnly,
    };
    return [this.#world.send(agent.index, [place(address, order)])];
  }

  #attacks(nextMove: number): Uint8Array[] {
    const market = this.#seen.markets.get(1);
    if (market === undefined) return [];
    const first = this.#world.firstAttacker;
    const own = this.#seen.accounts.slice(first, first + ATTACKERS_COUNT);
    return this.#attackers
      .block(this.#blocks + 1, market, own, nextMove)
      .map(({ account, message }) => this.#world.send(first + account, [message]));
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

  async #fund(): Promise<{ readonly balance: bigint; readonly paid: bigint }> {
    const data = QueryFundRequest.encode({ denom: DENOM }).finish();
    const value = await this.#query("/keel.insurance.v1.Query/Fund", data);
    const { fund } = QueryFundResponse.decode(value);
    return { balance: BigInt(fund?.balance ?? "0"), paid: BigInt(fund?.paid ?? "0") };
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

/** The mark of a perpetual at another value of a lot. */
function at({ instrument, mark }: SeenMarket, quantaPerLot: number): QuotedMarket["mark"] {
  const ticks = BigInt(Math.round(quantaPerLot / Number(instrument.quantaPerTickLot)));
  const value = ticks * instrument.quantaPerTickLot;
  return { ...mark, ticks, quantaPerLot: value, notionalPerLot: value };
}

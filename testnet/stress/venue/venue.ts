/** One tape under one rule set on the model, a step a second: prices, wishes, closes, backstop, bankruptcies. */
import { DepthGauge, FULL_SIZE } from "../agents/depth.ts";
import { Impact } from "../agents/impact.ts";
import { decidesAt, type Intention, intentionOf } from "../agents/intentions.ts";
import { type Agent, openingOf } from "../agents/population.ts";
import {
  FundLimit,
  type Outcome,
  SecondLook,
  type TimelinePoint,
  Trough,
} from "../measures/outcome.ts";
import { MINUTE_MS, type Tape, type TapeStep, UNDERLYINGS } from "../tape/tape.ts";
import { Auctions } from "./auctions.ts";
import { Bankruptcies } from "./bankruptcies.ts";
import { Floor } from "./floor.ts";
import { Liquidations } from "./liquidations.ts";
import { Multiplier } from "./multiplier.ts";
import type { Rules } from "./rules.ts";

export interface VenueOptions {
  readonly tape: Tape;
  readonly agents: readonly Agent[];
  readonly rules: Rules;
  readonly seed: number;
  /** Settlement units. */
  readonly fund: number;
  readonly vault: number;
  /** Annual volatility of the weeks before. */
  readonly before: number;
}

/** What a taker may pay beyond mark. */
const TAKER_REACH = 0.04;

export function runOnModel(options: VenueOptions): Outcome {
  return new VenueRun(options).play();
}

/** With margin per position everybody is as many accounts as it has positions, with collateral in proportion. */
function pockets(agents: readonly Agent[], isolated: boolean): Agent[] {
  if (!isolated) return [...agents];
  return agents.flatMap((agent) => {
    const gross = agent.wish.reduce((sum, one) => sum + Math.abs(one), 0);
    const held = agent.wish.flatMap((one, u) => (one === 0 ? [] : [u]));
    if (held.length < 2) return [agent];
    return held.map((u) => {
      const share = Math.abs(agent.wish[u] ?? 0) / gross;
      return {
        ...agent,
        collateral: agent.collateral * share,
        reserve: agent.reserve * share,
        wish: agent.wish.map((one, i) => (i === u ? one / share : 0)),
      };
    });
  });
}

/** Every rule set has the same capital behind it; who has no vault has all of it in the fund, who has no fund in the vault. */
function capitalOf(
  rules: Rules,
  all: number,
  fund: number,
): { readonly fund: number; readonly vault: number } {
  if (rules.fundInVault) return { fund: 0, vault: all };
  if (rules.backstopHealth === 0) return { fund: all, vault: 0 };
  return { fund, vault: all - fund };
}

class VenueRun {
  readonly #options: VenueOptions;
  readonly #floor: Floor;
  readonly #liquidations: Liquidations;
  readonly #auctions: Auctions | null;
  readonly #bankruptcies: Bankruptcies;
  readonly #agents: readonly Agent[];
  readonly #gauge = new DepthGauge();
  readonly #look = new SecondLook<readonly number[]>();
  readonly #limit: FundLimit;
  readonly #outside = new Trough();
  readonly #mark = new Trough();
  readonly #timeline: TimelinePoint[] = [];
  readonly #multiplier: Multiplier;
  readonly #openInterest: number;
  readonly #paidIn: number[];
  readonly #reserve: number[];
  readonly #total: number;
  #added = 0;

  constructor(options: VenueOptions) {
    this.#options = options;
    const { rules, fund, vault } = options;
    this.#agents = pockets(options.agents, rules.isolated).map((agent, index) => ({
      ...agent,
      index,
    }));
    this.#multiplier = new Multiplier(options.before);
    const scale = rules.dynamic ? this.#multiplier.initial : 1;
    const opening = openingOf(this.#agents, (u, notional) => scale * rules.initial(u, notional));
    this.#openInterest = opening.openInterest;
    this.#floor = new Floor({
      ...{ agents: this.#agents, opening, impact: new Impact(options.agents.length / FULL_SIZE) },
      ...capitalOf(rules, fund + vault, fund),
    });
    this.#bankruptcies = new Bankruptcies(this.#floor, rules, options.seed);
    const touched = (account: number, atMs: number): void => {
      const alone = this.#floor.leftAlone(account);
      this.#look.liquidated(account, atMs, alone);
    };
    const shared = { floor: this.#floor, rules, bankruptcies: this.#bankruptcies, touched };
    this.#liquidations = new Liquidations(shared);
    this.#auctions = rules.auction === null ? null : new Auctions(shared, rules.auction);
    this.#limit = new FundLimit(fund + vault);
    this.#paidIn = this.#agents.map(({ collateral }) => collateral);
    this.#reserve = this.#agents.map(({ reserve }) => reserve);
    this.#total = this.#floor.ledger.total(UNDERLYINGS.map(() => 1));
  }

  play(): Outcome {
    const { steps, stepMs } = this.#options.tape;
    for (const step of steps) if (step.open) this.#step(step, stepMs);
    const { floor } = this;
    this.#look.step(Number.POSITIVE_INFINITY, floor.marks, true);
    const { paid, tally } = floor;
    const unpaid = floor.below();
    return {
      openInterest: this.#openInterest,
      collateral: this.#paidIn.reduce((sum, one) => sum + one, 0),
      fundAtStart: this.#options.fund + this.#options.vault,
      fundAtEnd: floor.fund + floor.equity(floor.vault),
      accountsLiquidated: this.#look.accounts,
      falseLiquidations: this.#look.falses,
      liquidatedNotional: tally.liquidated,
      penalties: tally.penalties,
      takenOverNotional: tally.takenOver,
      deleveragedNotional: tally.deleveraged,
      deleveragedAccounts: tally.deleveragedAccounts.size,
      overshootNotional: tally.overshoot,
      badDebt: paid.fund + paid.deleveraging + paid.socialised + unpaid,
      paidByFund: paid.fund,
      paidByDeleveraging: paid.deleveraging,
      socialised: paid.socialised,
      unpaid,
      secondsAboveFundLimit: this.#limit.seconds,
      outsideTrough: this.#outside.fall,
      markTrough: this.#mark.fall,
      amplification: this.#mark.fall / Math.max(this.#outside.fall, 0.001),
      hedgesBroken: tally.hedgesBroken.size,
      timeline: this.#timeline,
    };
  }

  get floor(): Floor {
    return this.#floor;
  }

  #step(step: TapeStep, stepMs: number): void {
    const { rules } = this.#options;
    const floor = this.#floor;
    floor.reprice(step);
    const mark = floor.marks[0] ?? 1;
    const market = floor.trades[0] ?? 1;
    floor.depth = Math.min(step.depthMax, this.#gauge.observe(step.atMs, market));
    if (rules.dynamic) {
      this.#multiplier.observe(step.atMs, mark);
      this.#liquidations.scale = this.#multiplier.maintenance;
    }
    const { paid } = floor;
    const before = paid.fund + paid.deleveraging + paid.socialised;
    this.#wishes(step, stepMs, market);
    if (this.#auctions === null) this.#liquidations.step(step.atMs, stepMs);
    else this.#auctions.step(step.atMs);
    floor.unwind(stepMs);
    this.#bankruptcies.step();
    const asked = paid.fund + paid.deleveraging + paid.socialised - before;
    this.#limit.step(step.atMs, stepMs, asked);
    this.#outside.see(step.index[0] ?? 1);
    this.#mark.see(market);
    this.#look.step(step.atMs, floor.marks, false);
    floor.pass(stepMs);
    this.#check(step.atMs);
    this.#point(step);
  }

  #wishes(step: TapeStep, stepMs: number, market: number): void {
    const sight = {
      minute: Math.floor(step.atMs / MINUTE_MS),
      move: market - 1,
      premium: market / (step.index[0] ?? 1),
    };
    for (const agent of this.#agents) {
      if (!decidesAt(agent, step.atMs, stepMs)) continue;
      const notional = this.#floor.signedNotional(agent.index);
      const standing = {
        equity: this.#floor.equity(agent.index),
        maintenance: this.#liquidations.maintenance(agent.index),
        paidIn: this.#paidIn[agent.index] ?? 0,
        reserve: this.#reserve[agent.index] ?? 0,
        notional,
      };
      const intention = intentionOf(agent, standing, sight, this.#options.seed);
      if (intention !== null) this.#act(agent, intention, standing);
    }
  }

  #act(
    { index }: Agent,
    intention: Intention,
    standing: { readonly equity: number; readonly notional: readonly number[] },
  ): void {
    if (intention.kind === "top-up") {
      this.#reserve[index] = (this.#reserve[index] ?? 0) - intention.amount;
      this.#paidIn[index] = (this.#paidIn[index] ?? 0) + intention.amount;
      this.#floor.deposit(index, intention.amount);
      this.#added += intention.amount;
      return;
    }
    const { underlying, notional, reduceOnly } = intention;
    let wanted = notional;
    if (!reduceOnly) {
      const { rules } = this.#options;
      const scale = rules.dynamic ? this.#multiplier.initial : 1;
      const needs = (more: number): number =>
        standing.notional.reduce(
          (sum, one, u) =>
            sum + scale * rules.initial(u, Math.abs(one + (u === underlying ? more : 0))),
          0,
        );
      while (Math.abs(wanted) > 100 && needs(wanted) > standing.equity) wanted /= 2;
      if (needs(wanted) > standing.equity) return;
    }
    this.#floor.atBook(index, underlying, wanted, TAKER_REACH);
  }

  /** Nothing comes from nowhere: Σ equity is what was there and what was paid in. */
  #check(atMs: number): void {
    const now = this.#floor.ledger.total(this.#floor.marks);
    const expected = this.#total + this.#added;
    if (Math.abs(now - expected) > 1e-6 * expected)
      throw new Error(
        `${this.#options.rules.name}, ${this.#options.tape.name}, second ${atMs / 1_000}: equities sum to ${now}, paid in was ${expected}`,
      );
  }

  #point(step: TapeStep): void {
    const minute = Math.floor(step.atMs / MINUTE_MS);
    if (this.#timeline.at(-1)?.minute === minute) return;
    const { paid, tally, fund, depth } = this.#floor;
    this.#timeline.push({
      ...{ minute, outside: step.index[0] ?? 1, mark: this.#floor.trades[0] ?? 1, depth, fund },
      liquidated: tally.liquidated,
      badDebt: paid.fund + paid.deleveraging + paid.socialised + this.#floor.below(),
      deleveraged: tally.deleveraged,
      openInterest: this.#floor.openInterest(),
    });
  }
}

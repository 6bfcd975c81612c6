/** Reads blocks: events and books become the measures; what must hold in every block is checked to the unit. */
import type { FinalizeBlockResponse } from "@keel/consensus/host/ports";
import type { Agent } from "../agents/population.ts";
import {
  FundLimit,
  type Outcome,
  SecondLook,
  type TimelinePoint,
  Trough,
} from "../measures/outcome.ts";
import { type Seen, type SeenAccount, type SeenMarket, UNIT } from "./books.ts";

export interface BlockFacts {
  readonly atMs: number;
  readonly stepMs: number;
  readonly before: Seen;
  readonly after: Seen;
  readonly response: FinalizeBlockResponse;
  /** Quanta. */
  readonly fund: bigint;
  /** Since the tape began. */
  readonly fundPaid: bigint;
  /** Paid into the fund from outside since genesis. */
  readonly fundFunded: bigint;
  /** Levels of the first underlying. */
  readonly outside: number;
  readonly mark: number;
  readonly depth: number;
}

/** Lots that the crowd sold to deleveraged makers, by market: no flow of the book. */
export type MakerLots = Map<number, bigint>;

interface Event {
  readonly type: string;
  readonly attributes: Readonly<Record<string, string>>;
}

function eventsOf(response: FinalizeBlockResponse): Event[] {
  return response.events.map(({ type, attributes }) => ({
    type,
    attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, value])),
  }));
}

type Marks = ReadonlyMap<number, SeenMarket>;

/** Equity in units if the positions had been left alone. */
function leftAlone(account: SeenAccount, marks: Marks): (later: Marks) => number {
  return (later) => {
    let equity = Number(account.equity);
    for (const { market, lots } of account.account.positions) {
      const then = marks.get(market)?.mark.quantaPerLot ?? 0n;
      const now = later.get(market)?.mark.quantaPerLot ?? then;
      equity += Number(lots * (now - then));
    }
    return equity / UNIT;
  };
}

export class Watch {
  readonly #agents: readonly Agent[];
  readonly #indexOf: ReadonlyMap<string, number>;
  readonly #look = new SecondLook<Marks>();
  readonly #limit: FundLimit;
  readonly #outside = new Trough();
  readonly #mark = new Trough();
  readonly #deleveraged = new Set<string>();
  readonly #hedgesBroken = new Set<string>();
  readonly #timeline: TimelinePoint[] = [];
  readonly #start: Pick<Outcome, "openInterest" | "collateral" | "fundAtStart">;
  #liquidated = 0;
  #penalties = 0;
  #takenOver = 0;
  #deleveragedNotional = 0;
  #covered = 0n;
  #recovered = 0n;
  #byDeleveraging = 0;
  #socialised = 0;
  #fund = 0n;
  #pending = 0n;
  /** What ladder, guard and loss ledgers said. */
  readonly ladder = {
    auctionedNotional: 0,
    throttled: 0,
    rangesLeft: 0,
    outages: 0,
    controllerMoves: 0,
    blocksHalted: 0,
    losses: 0,
  };
  /** The first that did not hold, or null. */
  fault: string | null = null;

  constructor(
    agents: readonly Agent[],
    texts: readonly string[],
    start: Pick<Outcome, "openInterest" | "collateral" | "fundAtStart">,
  ) {
    this.#agents = agents;
    this.#indexOf = new Map(texts.map((text, i) => [text, i]));
    this.#start = start;
    this.#limit = new FundLimit(start.fundAtStart);
  }

  block(facts: BlockFacts): MakerLots {
    const { atMs, stepMs, before, after } = facts;
    const makers: MakerLots = new Map();
    const symbols = new Map([...after.markets].map(([id, one]) => [one.instrument.symbol, id]));
    const [borneBefore, lostBefore] = [this.#borne, this.#byDeleveraging];
    if (after.markets.get(1)?.instrument.status === "halted") this.ladder.blocksHalted += 1;
    for (const event of eventsOf(facts.response)) {
      const { attributes } = event;
      this.#tell(event);
      if (event.type === "liquidation") this.#liquidation(attributes, before, atMs);
      if (event.type === "deleverage") {
        // The bankrupt account, whether or not the book took a part of it.
        this.#touched(attributes["account"] ?? "", before, atMs);
        this.#deleverage(attributes, after, symbols, makers);
      }
      if (event.type === "deficit_covered") this.#covered += BigInt(attributes["amount"] ?? "0");
      // What an account has gained since a fund paid for it goes back.
      if (event.type === "insurance_received" && attributes["reason"] === "recovery")
        this.#recovered += BigInt(attributes["amount"] ?? "0");
      if (event.type === "backstop_takeover") {
        this.#takenOver += Number(attributes["notional"]) / UNIT;
        this.#touched(attributes["account"] ?? "", before, atMs);
      }
    }
    const asked = Number(this.#borne - borneBefore) / UNIT + (this.#byDeleveraging - lostBefore);
    this.#limit.step(atMs, stepMs, asked);
    this.#outside.see(facts.outside);
    this.#mark.see(facts.mark);
    this.#look.step(atMs, after.markets, false);
    this.#fund = facts.fund;
    this.#pending = after.pendingShortfall;
    this.#check(facts);
    this.#point(facts);
    return makers;
  }

  /** What funds have paid and not got back. */
  get #borne(): bigint {
    return this.#covered - this.#recovered;
  }

  outcome(last: Seen): Outcome {
    this.#look.step(Number.POSITIVE_INFINITY, last.markets, true);
    const [paidByFund, unpaid] = [Number(this.#borne) / UNIT, Number(this.#pending) / UNIT];
    return {
      ...this.#start,
      fundAtEnd: Number(this.#fund) / UNIT,
      accountsLiquidated: this.#look.accounts,
      falseLiquidations: this.#look.falses,
      liquidatedNotional: this.#liquidated,
      penalties: this.#penalties,
      takenOverNotional: this.#takenOver,
      deleveragedNotional: this.#deleveragedNotional,
      deleveragedAccounts: this.#deleveraged.size,
      // A deleveraging of the chain closes what the account holds that nobody else takes and nothing else.
      overshootNotional: 0,
      badDebt: paidByFund + this.#byDeleveraging + this.#socialised + unpaid,
      paidByFund,
      paidByDeleveraging: this.#byDeleveraging,
      socialised: this.#socialised,
      unpaid,
      secondsAboveFundLimit: this.#limit.seconds,
      outsideTrough: this.#outside.fall,
      markTrough: this.#mark.fall,
      amplification: this.#mark.fall / Math.max(this.#outside.fall, 0.001),
      hedgesBroken: this.#hedgesBroken.size,
      timeline: this.#timeline,
    };
  }

  #tell({ type, attributes }: Event): void {
    if (type === "liquidation" && attributes["source"] === "auction")
      this.ladder.auctionedNotional += Number(attributes["notional"]) / UNIT;
    if (type === "liquidation_throttled") this.ladder.throttled += 1;
    if (type === "guard_range") this.ladder.rangesLeft += 1;
    if (type === "guard_outage") this.ladder.outages += 1;
    if (type === "market_loss_share") this.#socialised += Number(attributes["paid"] ?? "0") / UNIT;
    if (type === "guard_move") this.ladder.controllerMoves += 1;
    if (type !== "loss") return;
    this.ladder.losses += 1;
    const lines = (attributes["lines"] ?? "").split(",").map((line) => line.split("=")[1] ?? "");
    const sum = lines.reduce((all, quanta) => all + BigInt(quanta === "" ? "0" : quanta), 0n);
    if (sum !== 0n || lines.length < 2)
      this.fault ??= `a loss of ${attributes["account"]} sums to ${sum}: ${attributes["lines"]}`;
  }

  #liquidation(attributes: Event["attributes"], before: Seen, atMs: number): void {
    // What the other side took is counted where it is deleveraged.
    if (attributes["source"] !== "other_side")
      this.#liquidated += Number(attributes["notional"]) / UNIT;
    this.#penalties += Number(attributes["penalty"]) / UNIT;
    this.#touched(attributes["account"] ?? "", before, atMs);
  }

  #touched(text: string, before: Seen, atMs: number): void {
    const index = this.#indexOf.get(text);
    const account = index === undefined ? undefined : before.accounts[index];
    if (index !== undefined && account !== undefined)
      this.#look.liquidated(index, atMs, leftAlone(account, before.markets));
  }

  #deleverage(
    attributes: Event["attributes"],
    after: Seen,
    symbols: ReadonlyMap<string, number>,
    makers: MakerLots,
  ): void {
    const market = symbols.get(attributes["market"] ?? "") ?? 0;
    const scale = after.markets.get(market)?.instrument.quantaPerTickLot ?? 0n;
    const sign = attributes["side"] === "sell" ? 1n : -1n;
    const lots = BigInt(attributes["lots"] ?? "0");
    const apart =
      BigInt(attributes["price_ticks"] ?? "0") - BigInt(attributes["mark_ticks"] ?? "0");
    // Who was only under water pays the other side for taking it: that bears nothing.
    if (attributes["reason"] !== "unfilled")
      this.#byDeleveraging += Number(sign * apart * lots * scale) / UNIT;
    this.#deleveragedNotional += Number(attributes["notional"]) / UNIT;
    const counterparty = attributes["counterparty"] ?? "";
    this.#deleveraged.add(counterparty);
    const role = this.#agents[this.#indexOf.get(counterparty) ?? -1]?.role;
    if (role === "hedger") this.#hedgesBroken.add(counterparty);
    if (role === "maker" || role === "keeper")
      makers.set(market, (makers.get(market) ?? 0n) + sign * lots);
  }

  /** Accounts, fund and fees are what was paid in; what the fund says it paid is what accounts got. */
  #check({ after, fund, fundPaid, fundFunded, atMs }: BlockFacts): void {
    let claims = fund + after.feesHeld;
    for (const one of after.accounts) claims += one?.equity ?? 0n;
    const paidIn = after.netDeposits + fundFunded;
    const minute = (atMs / 60_000).toFixed(2);
    if (claims !== paidIn)
      this.fault ??= `minute ${minute}: equities, fund and fees are ${claims}, paid in was ${paidIn}`;
    if (fundPaid !== this.#covered)
      this.fault ??= `minute ${minute}: the fund paid ${fundPaid}, accounts got ${this.#covered}`;
  }

  #point(facts: BlockFacts): void {
    const minute = Math.floor(facts.atMs / 60_000);
    if (this.#timeline.at(-1)?.minute === minute) this.#timeline.pop();
    let openInterest = 0;
    for (const one of facts.after.accounts)
      for (const { market, lots } of one?.account.positions ?? [])
        if (lots > 0n)
          openInterest +=
            Number(lots * (facts.after.markets.get(market)?.mark.notionalPerLot ?? 0n)) / UNIT;
    this.#timeline.push({
      ...{ minute, outside: facts.outside, mark: facts.mark, depth: facts.depth, openInterest },
      fund: Number(facts.fund) / UNIT,
      liquidated: this.#liquidated,
      badDebt: Number(this.#borne + this.#pending) / UNIT + this.#byDeleveraging + this.#socialised,
      deleveraged: this.#deleveragedNotional,
    });
  }
}

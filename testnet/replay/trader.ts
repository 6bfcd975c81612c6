/** A leveraged trader of the replay: opens as planned, then adds, takes off, rests orders, rescues itself or tries again. */
import { roundToStep } from "@keel/client/decimal";
import type { KeelSigningClient } from "@keel/client/signing-client";
import type { AccountHealth } from "@keel/client/views";
import type { Random } from "@keel/node/feeds/random";
import { seededRandom } from "@keel/node/feeds/random";
import type { Attempts } from "./actor.ts";
import { attempt, sleep, untilStopped } from "./actor.ts";
import { OPENING_ATTEMPTS } from "./limits.ts";
import type { MarketWatch } from "./market-watch.ts";
import type { TraderPlan } from "./plan.ts";

export interface TraderOptions {
  readonly plan: TraderPlan;
  readonly client: KeelSigningClient;
  readonly watch: MarketWatch;
  readonly market: string;
  readonly lotSize: string;
  readonly tickSize: string;
  readonly scale: number;
  readonly attempts: Attempts;
}

type Side = "buy" | "sell";

/** Real milliseconds between two looks at one's own account. */
const TURN_MIN_MS = 3_000;
const TURN_SPREAD_MS = 9_000;
const ENOUGH_SHARE = 0.9;
/** A market order goes no further from mark than this. */
const SLIPPAGE = 0.01;

export class Trader {
  readonly plan: TraderPlan;
  readonly #options: TraderOptions;
  readonly #random: Random;
  #reserve: number;

  constructor(options: TraderOptions) {
    this.plan = options.plan;
    this.#options = options;
    this.#random = seededRandom(options.plan.seed);
    this.#reserve = options.plan.reserve;
  }

  get address(): string {
    return this.#options.client.address;
  }

  async deposit(): Promise<void> {
    const { client, attempts, plan } = this.#options;
    await attempt(attempts, () => client.deposit(String(plan.stake)));
  }

  /** Buys or sells at market until the planned leverage is nearly reached. */
  async open(): Promise<void> {
    const { watch } = this.#options;
    for (let i = 0; i < OPENING_ATTEMPTS; i++) {
      const look = watch.latest;
      const held = await this.#held();
      const wanted = look === null ? 0 : (this.plan.stake * this.plan.leverage) / look.mark;
      if (look !== null && held >= wanted * ENOUGH_SHARE) return;
      if (look !== null) await this.#market(this.plan.side, wanted - held);
      await sleep(400);
    }
  }

  async run(signal: AbortSignal): Promise<void> {
    await untilStopped(signal, async () => {
      await this.#turn();
      return TURN_MIN_MS + this.#random.next() * TURN_SPREAD_MS;
    });
  }

  async #turn(): Promise<void> {
    const { client, watch, attempts } = this.#options;
    const look = watch.latest;
    let account: AccountHealth | undefined;
    await attempt(attempts, async () => {
      account = await client.account();
    });
    if (account === undefined || look === null || !look.fresh) return;
    const size = Number(account.positions[0]?.size ?? "0");
    const health = account.healthPpm === undefined ? null : Number(account.healthPpm) / 1e6;
    const choice = this.#random.next();
    if (size === 0) {
      if (choice < 0.35) await this.#again(look.mark, Number(account.equity) / 1e6);
    } else if (health !== null && health < 1.4 && this.#reserve > 0) {
      // Most watch it go; some throw in what they have.
      if (choice < 0.15) await this.#addReserve();
    } else if (choice < 0.1) {
      await this.#market(size > 0 ? "sell" : "buy", Math.abs(size) * 0.25, true);
    } else if (choice < 0.22) {
      const room = (Number(account.freeCollateral) / 1e6) * 5;
      await this.#market(
        size > 0 ? "buy" : "sell",
        Math.min(Math.abs(size) * 0.15, room / look.mark),
      );
    } else if (choice < 0.4) {
      await this.#takeProfit(size, look.mark, look.timeMs);
    }
  }

  /** After a liquidation: puts in the reserve and goes the way the market went, or against it. */
  async #again(mark: number, equity: number): Promise<void> {
    if (this.#reserve > 0) await this.#addReserve();
    else if (equity < 100) return;
    const stake = Math.max(equity, 0) + (this.#reserve > 0 ? 0 : this.plan.reserve);
    const side: Side = this.#random.next() < 0.5 ? "buy" : "sell";
    await this.#market(side, (stake * Math.min(this.plan.leverage, 12)) / mark);
  }

  async #addReserve(): Promise<void> {
    const { client, attempts } = this.#options;
    const amount = this.#reserve;
    this.#reserve = 0;
    if (!(await attempt(attempts, () => client.deposit(String(amount))))) this.#reserve = amount;
  }

  async #takeProfit(size: number, mark: number, timeMs: number): Promise<void> {
    const { client, attempts, market, lotSize, tickSize, scale } = this.#options;
    const away = 0.01 + 0.03 * this.#random.next();
    const price = mark * (size > 0 ? 1 + away : 1 - away);
    await attempt(attempts, () =>
      client.place({
        market,
        side: size > 0 ? "sell" : "buy",
        price: roundToStep(price.toFixed(8), tickSize, "down"),
        size: atLeastOneLot(Math.abs(size) * 0.5, lotSize),
        reduceOnly: true,
        // Gone after half a minute of real time.
        goodTilMs: BigInt(Math.round(timeMs + 30_000 * scale)),
      }),
    );
  }

  async #market(side: Side, size: number, reduceOnly: boolean = false): Promise<void> {
    const { client, watch, attempts, market, lotSize, tickSize } = this.#options;
    const look = watch.latest;
    const text = roundToStep(Math.max(size, 0).toFixed(8), lotSize, "down");
    // Below the market's least notional.
    if (look === null || Number(text) * look.mark < 20) return;
    const worst = look.mark * (side === "buy" ? 1 + SLIPPAGE : 1 - SLIPPAGE);
    await attempt(attempts, () =>
      client.place({
        market,
        side,
        type: "market",
        price: roundToStep(worst.toFixed(8), tickSize, "down"),
        size: text,
        reduceOnly,
      }),
    );
  }

  async #held(): Promise<number> {
    const { client, attempts } = this.#options;
    let held = 0;
    await attempt(attempts, async () => {
      held = Math.abs(Number((await client.positions())[0]?.size ?? "0"));
    });
    return held;
  }
}

function atLeastOneLot(size: number, lotSize: string): string {
  const text = roundToStep(size.toFixed(8), lotSize, "down");
  return text === "0" ? lotSize : text;
}

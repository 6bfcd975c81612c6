/**
 * Those who are after the protocol's money. Two accounts of one owner that deposit, trade with each other as far from mark as the market allows, and withdraw,
 * all in one block, again and again; one that knows the next price before the oracle does; a quarter of the validators that report too low.
 */

import { minimum } from "@keel/modules/kit/math/mul-div";
import type { Message } from "../../bench/tx-bytes.ts";
import type { SeenAccount, SeenMarket } from "./books.ts";
import { UNIT } from "./books.ts";
import { deposit, type Order, place, withdraw } from "./orders.ts";

export interface Attack {
  /** Place among the attackers' accounts. */
  readonly account: number;
  readonly message: Message;
}

/** Places of the attackers' accounts. */
export const ATTACKERS = { buyer: 0, seller: 1, latency: 2 } as const;
export const ATTACKERS_COUNT = 3;

const STAKE = 100_000n * BigInt(UNIT);
/** From mark, inside the market's band of 5 %. */
const AWAY = 0.045;
/** Of what their margin would carry after the trade. */
const CAUTION = 0.9;
const EVERY_BLOCKS = 40;
const LATENCY_STAKE = 500_000n * BigInt(UNIT);
const LATENCY_NOTIONAL = 400_000;
/** Two taker fees and the spread. */
const WORTH_IT = 0.003;

export class Attackers {
  readonly #addresses: readonly string[];

  constructor(addresses: readonly string[]) {
    this.#addresses = addresses;
  }

  #address(account: number): string {
    return this.#addresses[account] as string;
  }

  /** The pair deposits, trades and withdraws in this block. */
  strikes(number: number): boolean {
    return number % EVERY_BLOCKS === 1;
  }

  /** `nextMove`: relative move of the index that validators will report in the next block. */
  block(
    number: number,
    market: SeenMarket,
    accounts: readonly (SeenAccount | undefined)[],
    nextMove: number,
  ): Attack[] {
    return [
      ...this.#oneBlock(number, market, accounts),
      ...this.#latency(number, market, accounts[ATTACKERS.latency], nextMove),
    ];
  }

  #oneBlock(
    number: number,
    market: SeenMarket,
    accounts: readonly (SeenAccount | undefined)[],
  ): Attack[] {
    const both = [ATTACKERS.buyer, ATTACKERS.seller] as const;
    if (!this.strikes(number))
      // Whatever is free leaves at once.
      return both.flatMap((account) => this.#takeOut(account, accounts[account]));
    const ticks = Number(market.mark.ticks);
    const price = Math.round(ticks * (1 + AWAY));
    // The buyer loses the distance at once and must then still meet 5 % of notional.
    const carried = (Number(STAKE) / UNIT / (AWAY + 0.06)) * CAUTION;
    const lots = Math.floor((carried * UNIT) / Number(market.mark.notionalPerLot));
    const order = { instrument: market.instrument, ticks: price, lots } as const;
    return [
      ...both.map((account) => ({ account, message: deposit(this.#address(account), STAKE) })),
      this.#order(ATTACKERS.buyer, { ...order, side: "buy", kind: "rests" }),
      this.#order(ATTACKERS.seller, { ...order, side: "sell", kind: "immediate" }),
      // All that came in, and the profit that only exists against the buyer.
      {
        account: ATTACKERS.seller,
        message: withdraw(this.#address(ATTACKERS.seller), (STAKE * 14n) / 10n),
      },
    ];
  }

  #takeOut(account: number, seen: SeenAccount | undefined): Attack[] {
    if (seen === undefined) return [];
    const cash = seen.account.collateral - seen.account.feeReserve;
    const over = seen.equity - seen.initial - seen.account.feeReserve;
    const free = minimum(over, cash);
    if (free < BigInt(UNIT)) return [];
    return [{ account, message: withdraw(this.#address(account), free) }];
  }

  #latency(
    number: number,
    market: SeenMarket,
    seen: SeenAccount | undefined,
    nextMove: number,
  ): Attack[] {
    const account = ATTACKERS.latency;
    if (number === 1) return [{ account, message: deposit(this.#address(account), LATENCY_STAKE) }];
    const ticks = Number(market.mark.ticks);
    const held = seen?.account.positions.find((one) => one.market === market.instrument.id)?.lots;
    if (Math.abs(nextMove) > WORTH_IT) {
      const lots = Math.floor((LATENCY_NOTIONAL * UNIT) / Number(market.mark.notionalPerLot));
      const side = nextMove > 0 ? "buy" : "sell";
      const reach = 1 + Math.sign(nextMove) * (Math.abs(nextMove) - WORTH_IT / 2);
      return [this.#immediate(account, market, side, Math.round(ticks * reach), lots, false)];
    }
    if (held === undefined || held === 0n) return [];
    const side = held > 0n ? "sell" : "buy";
    const reach = side === "sell" ? 0.99 : 1.01;
    const lots = Number(held > 0n ? held : -held);
    return [this.#immediate(account, market, side, Math.round(ticks * reach), lots, true)];
  }

  #immediate(
    account: number,
    { instrument }: SeenMarket,
    side: "buy" | "sell",
    ticks: number,
    lots: number,
    reduceOnly: boolean,
  ): Attack {
    return this.#order(account, { instrument, side, ticks, lots, kind: "immediate", reduceOnly });
  }

  #order(account: number, order: Order): Attack {
    return { account, message: place(this.#address(account), order) };
  }
}

/** What an owner got out and still has, less what it put in, in units; it walks away from what is below zero. */
export function gained(walletBefore: bigint, walletNow: bigint, equity: bigint): number {
  return Number(walletNow + (equity > 0n ? equity : 0n) - walletBefore) / UNIT;
}

/** A quarter of the power reports this share too low, all the time. */
export const LIAR_SHARE = 0.1;

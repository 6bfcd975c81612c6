/** The agents' wishes as transactions. */
import { decidesAt, type Intention, intentionOf, type Sight } from "../agents/intentions.ts";
import type { Agent } from "../agents/population.ts";
import { UNDERLYINGS } from "../tape/tape.ts";
import { type Seen, UNIT } from "./books.ts";
import { quantaOf } from "./genesis.ts";
import { deposit, type Order, place } from "./orders.ts";
import type { World } from "./world.ts";

/** From mark, of an order that takes what there is. */
const TAKER_REACH = 0.04;

export class Crowd {
  readonly #world: World;
  readonly #seed: number;
  readonly #paidIn: number[];
  readonly #reserve: number[];

  constructor(world: World, seed: number) {
    this.#world = world;
    this.#seed = seed;
    this.#paidIn = world.agents.map(({ collateral }) => collateral);
    this.#reserve = world.agents.map(({ reserve }) => reserve);
  }

  txs(seen: Seen, sight: Sight, atMs: number, blockMs: number): Uint8Array[] {
    const txs: Uint8Array[] = [];
    for (const agent of this.#world.agents) {
      if (!decidesAt(agent, atMs, blockMs)) continue;
      const account = seen.accounts[agent.index];
      if (account === undefined) continue;
      const standing = {
        equity: Number(account.equity) / UNIT,
        maintenance: Number(account.maintenance) / UNIT,
        paidIn: this.#paidIn[agent.index] ?? 0,
        reserve: this.#reserve[agent.index] ?? 0,
        notional: this.#notional(seen, agent.index),
      };
      const intention = intentionOf(agent, standing, sight, this.#seed);
      if (intention !== null) txs.push(...this.#sent(seen, agent, intention));
    }
    return txs;
  }

  #notional(seen: Seen, index: number): number[] {
    const notional = UNDERLYINGS.map(() => 0);
    for (const { market, lots } of seen.accounts[index]?.account.positions ?? []) {
      const mark = seen.markets.get(market)?.mark;
      const listed = this.#world.listed.get(market);
      if (mark !== undefined && listed !== undefined && !listed.option)
        notional[listed.underlying] = Number(lots * mark.quantaPerLot) / UNIT;
    }
    return notional;
  }

  #sent(seen: Seen, agent: Agent, intention: Intention): Uint8Array[] {
    const { address } = this.#world.traders[agent.index] as { address: string };
    if (intention.kind === "top-up") {
      this.#reserve[agent.index] = (this.#reserve[agent.index] ?? 0) - intention.amount;
      this.#paidIn[agent.index] = (this.#paidIn[agent.index] ?? 0) + intention.amount;
      return [this.#world.send(agent.index, [deposit(address, quantaOf(intention.amount))])];
    }
    const id = [...this.#world.listed].find(
      ([, one]) => !one.option && one.underlying === intention.underlying,
    )?.[0];
    const market = seen.markets.get(id ?? 0);
    if (market === undefined) return [];
    const { instrument, mark } = market;
    const lots = Math.floor((Math.abs(intention.notional) * UNIT) / Number(mark.notionalPerLot));
    if (lots === 0) return [];
    const side = intention.notional > 0 ? "buy" : "sell";
    const reach = 1 + (side === "buy" ? TAKER_REACH : -TAKER_REACH);
    const order: Order = {
      ...{ instrument, side, lots, kind: "immediate", reduceOnly: intention.reduceOnly },
      ticks: Math.round(Number(mark.ticks) * reach),
    };
    return [this.#world.send(agent.index, [place(address, order)])];
  }
}

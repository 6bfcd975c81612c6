/** When makers and keepers quote anew, and the transactions with which they do. */
import { KEEPERS_SIZE } from "../agents/impact.ts";
import { keeperBids } from "./bidding.ts";
import { type Seen, type SeenMarket, UNIT } from "./books.ts";
import { keeperQuotes, makerQuotes, type QuotedMarket } from "./makers.ts";
import { cancelAll, quoteAll } from "./orders.ts";
import type { World } from "./world.ts";

/** A requote when mark or depth moved by so much, and at the latest after so many blocks. */
const REQUOTE_MOVE = 0.0005;
const REQUOTE_DEPTH = 0.15;
const REQUOTE_BLOCKS = 8;

/** Halted: it may be collecting for an auction, to which makers come; where only cancels are taken they are refused. */
const QUOTED: ReadonlySet<string> = new Set(["active", "halted"]);

export class Quoting {
  readonly #world: World;
  /** Notional of a keeper, a side and market. */
  readonly #keepers: number;
  #quoted = { mark: 0, depth: 0, block: 0 };

  constructor(world: World) {
    this.#world = world;
    const keepers = world.agents.filter(({ role }) => role === "keeper").length;
    this.#keepers = (KEEPERS_SIZE * world.size) / keepers;
  }

  /** `reported`: levels that this block's votes will bring; `truth`: the real ones over them. */
  txs(
    seen: Seen,
    block: number,
    levels: {
      readonly reported: readonly number[];
      readonly truth: readonly number[];
      readonly depth: number;
      readonly nowMs: number;
    },
  ): Uint8Array[] {
    const { depth } = levels;
    const mark = levels.reported[0] ?? 1;
    const due = block === 0 || block - this.#quoted.block >= REQUOTE_BLOCKS;
    const moved =
      Math.abs(mark / this.#quoted.mark - 1) > REQUOTE_MOVE ||
      Math.abs(depth / this.#quoted.depth - 1) > REQUOTE_DEPTH;
    if (!due && !moved) return [];
    // Keepers are in no hurry.
    this.#quoted = { mark, depth, block: due ? block : this.#quoted.block };
    const markets = this.#markets(seen, levels.reported, levels.truth);
    const txs: Uint8Array[] = [];
    let [maker, keeper] = [0, 0];
    for (const { index, role } of this.#world.agents) {
      if (role !== "maker" && !(role === "keeper" && due)) continue;
      const number = role === "maker" ? maker++ : 0;
      const orders = markets.flatMap((market) =>
        role === "maker"
          ? makerQuotes(market, number, { depth, size: this.#world.size })
          : keeperQuotes(market, this.#keepers),
      );
      const { address } = this.#world.traders[index] as { address: string };
      txs.push(this.#world.send(index, [cancelAll(address), quoteAll(address, orders)]));
      if (role === "maker" || !this.#world.bidders) continue;
      const bidder = { number: keeper++, notional: this.#keepers, address };
      for (const bid of keeperBids(this.#world, seen, bidder, levels))
        txs.push(this.#world.send(index, [bid]));
    }
    return txs;
  }

  /** Marks as they will be once this block's votes are in; options keep the mark of the block before. */
  #markets(seen: Seen, reported: readonly number[], truth: readonly number[]): QuotedMarket[] {
    return [...this.#world.listed].flatMap(([id, { underlying, option, openedAt }]) => {
      const market = seen.markets.get(id);
      if (market === undefined || !QUOTED.has(market.instrument.status)) return [];
      const mark = option ? market.mark : at(market, openedAt * (reported[underlying] ?? 1));
      const { instrument } = market;
      return [{ instrument, mark, underlying, option, truth: truth[underlying] ?? 1 }];
    });
  }
}

/** The mark of a perpetual at another value of a lot. */
function at({ instrument, mark }: SeenMarket, quantaPerLot: number): QuotedMarket["mark"] {
  const ticks = BigInt(Math.max(1, Math.round(quantaPerLot / Number(instrument.quantaPerTickLot))));
  const value = ticks * instrument.quantaPerTickLot;
  return { ...mark, ticks, quantaPerLot: value, notionalPerLot: value };
}

/** Settlement units of signed lots at mark. */
export function worth(lots: bigint, { mark }: SeenMarket): number {
  return Number(lots * mark.quantaPerLot) / UNIT;
}

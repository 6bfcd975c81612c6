/**
 * Who there is, as a function of the seed. What everybody wants is written in leverage, so that it can be asked of every rule set: what a
 * rule set does not allow is cut to what it does.
 */
import { type Random, seededRandom } from "@keel/node/feeds/random";
import { UNDERLYINGS } from "../tape/tape.ts";
import { FULL_SIZE } from "./depth.ts";

export type Role = "trader" | "hedger" | "whale" | "maker" | "keeper" | "seller";

export interface Agent {
  readonly index: number;
  readonly role: Role;
  /** Settlement units in the account, and in the wallet behind it. */
  readonly collateral: number;
  readonly reserve: number;
  /** Signed notional of each underlying as a multiple of collateral, if it were allowed. */
  readonly wish: readonly number[];
  /** Loss of its collateral, as a share, at which it closes half by itself. */
  readonly nerve: number;
  /** Adds to its position after a fall of the first underlying by this share; 0: never. */
  readonly buysAfter: number;
  /** Options sold, in units of the first underlying's notional, as a multiple of collateral. */
  readonly optionsSold: number;
}

const MAKERS = 6;
const KEEPERS = 8;
const MAKER_COLLATERAL = 12_000_000;
const KEEPER_COLLATERAL = 2_000_000;
/** The crowd is long by three to two, as it is before a crash. */
const LONG_SHARE = 0.6;
const BTC_SHARE = 0.65;
const HEDGERS_SHARE = 0.08;
const SELLERS_SHARE = 0.03;
const STAKE_MEDIAN = 7_000;
const LEVERAGE_MEDIAN = 5;
const LEVERAGE_MAX = 40;
/** As large as the book within 4 % of mark. */
const WHALE = { collateral: 2_000_000, leverage: 8 } as const;

/** `count` accounts, of which the last are one whale, keepers and makers; the rest are traders, hedgers and sellers of options. */
export function populate(count: number, seed: number): Agent[] {
  const random = seededRandom(seed * 101 + 7);
  const size = count / FULL_SIZE;
  const crowd = count - MAKERS - KEEPERS - 1;
  if (crowd < 20) throw new Error(`expected at least ${MAKERS + KEEPERS + 21} accounts`);
  const agents = Array.from({ length: crowd }, (_, index) => {
    const dice = random.next();
    if (dice < HEDGERS_SHARE) return hedger(index, random);
    if (dice < HEDGERS_SHARE + SELLERS_SHARE) return seller(index, random);
    return trader(index, random);
  });
  agents.push({
    ...idle(agents.length, "whale", WHALE.collateral * size),
    reserve: (WHALE.collateral / 2) * size,
    wish: [WHALE.leverage, 0],
    nerve: 2,
    buysAfter: 0.04,
  });
  for (let i = 0; i < KEEPERS; i++)
    agents.push(idle(agents.length, "keeper", KEEPER_COLLATERAL * size));
  for (let i = 0; i < MAKERS; i++)
    agents.push(idle(agents.length, "maker", MAKER_COLLATERAL * size));
  return agents;
}

function idle(index: number, role: Role, collateral: number): Agent {
  const wish = UNDERLYINGS.map(() => 0);
  return { index, role, collateral, reserve: 0, wish, nerve: 2, buysAfter: 0, optionsSold: 0 };
}

function stake(random: Random): number {
  return Math.round(
    Math.min(250_000, Math.max(500, STAKE_MEDIAN * Math.exp(1.1 * random.normal()))),
  );
}

function trader(index: number, random: Random): Agent {
  const collateral = stake(random);
  const leverage = Math.min(
    LEVERAGE_MAX,
    Math.max(1, LEVERAGE_MEDIAN * Math.exp(0.8 * random.normal())),
  );
  const signed = random.next() < LONG_SHARE ? leverage : -leverage;
  const btc = random.next() < BTC_SHARE;
  return {
    ...idle(index, "trader", collateral),
    // Two in five have something left to add.
    reserve: random.next() < 0.4 ? Math.round(collateral * random.next()) : 0,
    wish: btc ? [signed, 0] : [0, signed],
    nerve: 0.3 + 0.9 * random.next(),
    buysAfter: random.next() < 0.15 ? 0.03 + 0.2 * random.next() : 0,
  };
}

/** Long one, short the other, with more leverage than it would dare without the hedge. */
function hedger(index: number, random: Random): Agent {
  const leverage = 2 + 4 * random.next();
  const signed = random.next() < 0.7 ? leverage : -leverage;
  return { ...idle(index, "hedger", stake(random) * 2), wish: [-signed, signed] };
}

function seller(index: number, random: Random): Agent {
  return {
    ...idle(index, "seller", stake(random) * 2),
    optionsSold: 1 + 3 * random.next(),
  };
}

/** What is held at the start: wishes cut to what initial margin allows, with this much room left for the first moves. */
export const OPENING_ROOM = 0.95;

export interface Opening {
  /** Signed notional per agent and underlying, summing to zero per underlying. */
  readonly notional: readonly (readonly number[])[];
  /** Long = short, over all underlyings. */
  readonly openInterest: number;
}

/** `initial`: requirement of a position, in settlement units. Makers take in equal parts what the others leave. */
export function openingOf(
  agents: readonly Agent[],
  initial: (underlying: number, notional: number) => number,
): Opening {
  const notional = agents.map((agent) => {
    const wanted = agent.wish.map((leverage) => leverage * agent.collateral);
    const needs = (scale: number): number =>
      wanted.reduce((sum, one, u) => sum + initial(u, Math.abs(one) * scale), 0);
    return wanted.map((one) => one * largestScale(needs, agent.collateral * OPENING_ROOM));
  });
  const makers = agents.filter(({ role }) => role === "maker");
  for (let u = 0; u < UNDERLYINGS.length; u++) {
    const net = notional.reduce((sum, one) => sum + (one[u] ?? 0), 0);
    for (const { index } of makers) (notional[index] as number[])[u] = -net / makers.length;
  }
  const openInterest = notional.flat().reduce((sum, one) => sum + Math.max(one, 0), 0);
  return { notional, openInterest };
}

/** The largest scale up to 1 whose need fits; needs grow with scale. */
function largestScale(needs: (scale: number) => number, limit: number): number {
  if (needs(1) <= limit) return 1;
  let [low, high] = [0, 1];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    if (needs(middle) <= limit) low = middle;
    else high = middle;
  }
  return low;
}

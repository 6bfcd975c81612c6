/**
 * What an agent does in a minute, from its own standing and what prices did: the same seed gives the same answer to the same question, under whatever
 * rules, on the chain and on the model.
 */
import type { Agent } from "./population.ts";

export interface Standing {
  /** Settlement units. */
  readonly equity: number;
  readonly maintenance: number;
  /** Collateral paid in so far. */
  readonly paidIn: number;
  /** Left in the wallet. */
  readonly reserve: number;
  /** Signed notional per underlying at present prices. */
  readonly notional: readonly number[];
}

export interface Sight {
  readonly minute: number;
  /** Of the first underlying as marked since the start: −0.1 is a fall by a tenth. */
  readonly move: number;
  /** Mark over the index outside: nobody buys a fall where it is dearer than elsewhere. */
  readonly premium: number;
}

export type Intention =
  | { readonly kind: "top-up"; readonly amount: number }
  /** Signed notional to trade at market. */
  | {
      readonly kind: "trade";
      readonly underlying: number;
      readonly notional: number;
      readonly reduceOnly: boolean;
    };

/** Uniform in [0, 1) for an agent and a minute, independent of what was asked before. */
export function dice(seed: number, agent: number, minute: number): number {
  let x = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(agent + 1, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 15) ^ Math.imul(minute + 1, 0x27d4eb2f), 0x165667b1);
  x = Math.imul(x ^ (x >>> 13), 0x5bd1e995);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

const TOP_UP_BELOW = 1.6;
const TOP_UPS_SHARE = 0.3;
const PANIC_SHARE = 0.25;
const WHALE_ADDS = 0.5;

export function intentionOf(
  agent: Agent,
  standing: Standing,
  sight: Sight,
  seed: number,
): Intention | null {
  if (agent.role === "maker" || agent.role === "keeper") return null;
  const luck = dice(seed, agent.index, sight.minute);
  const held = standing.notional.reduce((sum, one) => sum + Math.abs(one), 0);
  if (held === 0 || standing.equity <= 0) return null;
  if (
    standing.equity < TOP_UP_BELOW * standing.maintenance &&
    standing.reserve > 1 &&
    luck < TOP_UPS_SHARE
  )
    return { kind: "top-up", amount: Math.ceil(standing.reserve / 2) };
  const lost = 1 - standing.equity / standing.paidIn;
  const largest = standing.notional.reduce(
    (best, one, u) => (Math.abs(one) > Math.abs(standing.notional[best] ?? 0) ? u : best),
    0,
  );
  const position = standing.notional[largest] ?? 0;
  if (lost > agent.nerve && luck < PANIC_SHARE)
    return { kind: "trade", underlying: largest, notional: -position / 2, reduceOnly: true };
  if (agent.buysAfter > 0 && sight.move < -agent.buysAfter && sight.premium < 1 && luck > 0.97) {
    const adds = agent.role === "whale" ? WHALE_ADDS : 0.25;
    const room = standing.equity * 3 * adds;
    return { kind: "trade", underlying: largest, notional: room, reduceOnly: false };
  }
  return null;
}

/** Agents decide once a minute, each at a second of its own. */
export function decidesAt(agent: Agent, atMs: number, stepMs: number): boolean {
  const second = (agent.index * 7_919) % 60;
  const inMinute = (atMs % 60_000) / 1_000;
  return second >= inMinute && second < inMinute + stepMs / 1_000;
}

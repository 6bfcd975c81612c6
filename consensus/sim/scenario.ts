/** Everything a run needs, drawn from its seed: who validates with which power, who is Byzantine and how, how bad the world is. */

import type { Address, Height } from "../core/types.ts";
import type { ValidatorUpdate } from "../core/validators.ts";
import { type Behaviour, honestBehaviour } from "./behaviour.ts";
import { amnesiac } from "./byzantine/amnesiac.ts";
import { equivocator } from "./byzantine/equivocator.ts";
import { lateProposer } from "./byzantine/late-proposer.ts";
import { spammer } from "./byzantine/spammer.ts";
import { withholder } from "./byzantine/withholder.ts";
import type { Conditions } from "./network.ts";
import { createRandom, type Random } from "./prng.ts";

export interface Scenario {
  readonly validators: readonly {
    readonly address: Address;
    readonly power: bigint;
    readonly behaviour: Behaviour;
  }[];
  /** A node without a key follows as well. */
  readonly observer: boolean;
  readonly chaos: Conditions;
  readonly chaosMs: number;
  /** Something breaks or heals about this often during the chaos. */
  readonly troubleEveryMs: number;
  readonly updatesAt: (height: Height) => readonly ValidatorUpdate[];
}

export const HEALED: Conditions = { delayMinMs: 1, delayMaxMs: 15, lossPpm: 0, duplicatePpm: 0 };

export function drawScenario(seed: number, random: Random): Scenario {
  const count = random.pick([1, 2, 3, 4, 4, 4, 4, 5, 6, 7]);
  const equal = random.chance(500_000);
  const powers = Array.from({ length: count }, () => BigInt(equal ? 10 : random.between(1, 30)));
  const byzantine = drawByzantine(powers, random);
  const validators = powers.map((power, index) => ({
    address: `V${index}`,
    power,
    behaviour: byzantine.get(index) ?? honestBehaviour,
  }));
  return {
    validators,
    observer: random.chance(300_000),
    chaos: {
      delayMinMs: 1,
      delayMaxMs: random.pick([10, 40, 120, 250]),
      lossPpm: random.pick([0, 20_000, 100_000, 300_000]),
      duplicatePpm: random.pick([0, 10_000, 150_000]),
    },
    chaosMs: random.between(1500, 5000),
    troubleEveryMs: random.pick([150, 400, 1200, 10_000]),
    updatesAt: drawUpdates(seed, validators),
  };
}

/** As many as fit below a third of the power, most of the time. */
function drawByzantine(powers: readonly bigint[], random: Random): Map<number, Behaviour> {
  const chosen = new Map<number, Behaviour>();
  if (random.chance(150_000)) return chosen;
  const total = powers.reduce((sum, power) => sum + power, 0n);
  let faulty = 0n;
  for (let tries = 0; tries < 2 * powers.length; tries += 1) {
    const index = random.between(0, powers.length - 1);
    const power = powers[index] ?? 0n;
    if (chosen.has(index) || (faulty + power) * 3n >= total) continue;
    faulty += power;
    chosen.set(
      index,
      random.pick([equivocator, equivocator, amnesiac, withholder, spammer, lateProposer]),
    );
  }
  return chosen;
}

/**
 * Power moves between heights: an honest validator gains some, or leaves and comes back. The Byzantine share stays below a third
 * of every height's total.
 */
function drawUpdates(seed: number, validators: Scenario["validators"]): Scenario["updatesAt"] {
  const random = createRandom(seed ^ 0x5bd1e995);
  const honest = validators.filter(({ behaviour }) => behaviour === honestBehaviour);
  const faulty = validators.reduce(
    (sum, { power, behaviour }) => (behaviour === honestBehaviour ? sum : sum + power),
    0n,
  );
  const powers = new Map(honest.map(({ address, power }) => [address, power]));
  return () => {
    if (honest.length === 0 || random.chance(600_000)) return [];
    const { address } = random.pick(honest);
    const current = powers.get(address) ?? 0n;
    const power =
      current > 0n && random.chance(300_000) ? 0n : current + BigInt(random.between(1, 9));
    const rest = [...powers.entries()].reduce(
      (sum, [who, other]) => (who === address ? sum : sum + other),
      0n,
    );
    if (rest + power === 0n || faulty * 3n >= faulty + rest + power) return [];
    powers.set(address, power);
    return [{ address, power }];
  };
}

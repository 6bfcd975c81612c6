/** A faulty network between nodes by index: delay, loss, duplication, hence reordering; partitions one way or both ways. */

import type { Random } from "./prng.ts";
import type { World } from "./world.ts";

/** Share of a jammed kind of message that is lost. */
const JAM_LOSS_PPM = 750_000;

export interface Conditions {
  readonly delayMinMs: number;
  readonly delayMaxMs: number;
  readonly lossPpm: number;
  readonly duplicatePpm: number;
}

export interface Network<Message> {
  send(route: { readonly from: number; readonly to: number }, message: Message): void;
  setConditions(conditions: Conditions): void;
  /** Nothing passes from the first group to the second; the way back stays open unless it is cut too. */
  cut(from: readonly number[], to: readonly number[]): void;
  /** Loses most messages of a kind; replaces the last jam. */
  jam(matches: (message: Message) => boolean): void;
  mend(): void;
}

export function createNetwork<Message>(options: {
  readonly world: World;
  readonly random: Random;
  readonly conditions: Conditions;
  readonly deliver: (to: number, message: Message) => void;
}): Network<Message> {
  const { world, random, deliver } = options;
  const blocked = new Set<string>();
  let conditions = options.conditions;
  let jammed: (message: Message) => boolean = () => false;

  function carry(to: number, message: Message): void {
    const delayMs = random.between(conditions.delayMinMs, conditions.delayMaxMs);
    world.after(delayMs, () => deliver(to, message));
  }

  return {
    send({ from, to }, message) {
      if (blocked.has(`${from}>${to}`) || random.chance(conditions.lossPpm)) return;
      if (jammed(message) && random.chance(JAM_LOSS_PPM)) return;
      carry(to, message);
      if (random.chance(conditions.duplicatePpm)) carry(to, message);
    },
    setConditions(changed) {
      conditions = changed;
    },
    cut(from, to) {
      for (const source of from)
        for (const target of to) if (source !== target) blocked.add(`${source}>${target}`);
    },
    jam(matches) {
      jammed = matches;
    },
    mend() {
      jammed = () => false;
      blocked.clear();
    },
  };
}

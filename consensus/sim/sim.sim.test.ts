/** The production core under a hostile world: safety after every event, progress after healing, the same history twice. */

import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type Behaviour, honestBehaviour } from "./behaviour.ts";
import { type Outcome, runScenario, runSeed } from "./cluster.ts";
import { HEALED, type Scenario } from "./scenario.ts";

const FIRST_SEED = 1;
const SEED_COUNT = 200;

const kept = readFileSync(new URL("seeds.txt", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"))
  .map((line) => Number(line.split(" ")[0]));

function complain({ seed, failure, actors }: Outcome): string {
  return `${failure} (${actors.join(", ")}); repeat: npm run sim -- --seed ${seed} --trace`;
}

describe("the machine", () => {
  it.each(kept)("holds under the kept seed %i", (seed) => {
    expect(Number.isSafeInteger(seed)).toBe(true);
    const outcome = runSeed(seed);
    expect(outcome.failure === null ? "held" : complain(outcome)).toBe("held");
  });

  it(`holds under seeds ${FIRST_SEED} to ${FIRST_SEED + SEED_COUNT - 1}, which reach what they are for`, () => {
    const totals = new Map<string, number>();
    const names = new Set<string>();
    const failures: string[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEED_COUNT; seed += 1) {
      const outcome = runSeed(seed);
      if (outcome.failure !== null) failures.push(complain(outcome));
      for (const [feature, times] of outcome.counts)
        totals.set(feature, (totals.get(feature) ?? 0) + times);
      for (const actor of outcome.actors) names.add(actor.split(" ")[1] ?? "");
    }
    expect(failures).toEqual([]);
    const actors = ["amnesiac", "equivocator", "honest", "late-proposer", "spammer", "withholder"];
    expect([...names].toSorted()).toEqual(actors);
    const least = {
      decided: 5000,
      certificate: 500,
      "restarts with a log": 200,
      "vote of a later round": 5000,
      "proposal with proof of lock": 500,
    };
    for (const [feature, times] of Object.entries(least)) {
      expect([feature, (totals.get(feature) ?? 0) >= times]).toEqual([feature, true]);
    }
  });

  it.each([3, 11, 20, 66])("goes the same way twice from seed %i", (seed) => {
    const [first, second] = [runSeed(seed), runSeed(seed)];
    expect(second.historyHash).toBe(first.historyHash);
    expect(second.events).toBe(first.events);
  });

  it("goes another way from another seed", () => {
    expect(runSeed(11).historyHash).not.toBe(runSeed(20).historyHash);
  });
});

/** Two of four tell V2 one story and V3 another, from the proposal to the precommits. */
function conspiracy(): Behaviour {
  return {
    name: "conspirator",
    gossips: false,
    onSignProposal(proposal, tools) {
      const blocks = [
        tools.build(proposal.height, true),
        tools.build(proposal.height, true),
      ] as const;
      for (const [side, block] of blocks.entries()) {
        const told = { ...proposal, blockId: block.id, polRound: -1 };
        tools.sign({ proposal: told });
        tools.send(2 + side, { type: "proposal", proposal: told, block });
      }
      for (const kind of ["prevote", "precommit"] as const) {
        for (const validator of ["V0", "V1"]) {
          for (const [side, block] of blocks.entries()) {
            const { height, round } = proposal;
            const vote = { kind, height, round, blockId: block.id, validator };
            tools.sign({ vote });
            tools.send(2 + side, { type: "vote", vote });
          }
        }
      }
    },
    onSignVote: () => {},
    onTick: () => {},
  };
}

describe("the simulation itself", () => {
  it("notices that two nodes decide differently when half of the power conspires", () => {
    const conspirator = conspiracy();
    const scenario: Scenario = {
      validators: ["V0", "V1", "V2", "V3"].map((address, index) => ({
        address,
        power: 10n,
        behaviour: index < 2 ? conspirator : honestBehaviour,
      })),
      observer: false,
      chaos: HEALED,
      chaosMs: 1000,
      troubleEveryMs: 10_000,
      updatesAt: () => [],
    };
    expect(runScenario(1, scenario, () => {}).failure).toContain("agreement: height 1 decided as");
  });

  it("notices that nobody decides when a third of the power is silent", () => {
    const silent: Behaviour = {
      ...honestBehaviour,
      name: "silent",
      onSignVote: () => {},
      onSignProposal: () => {},
    };
    const scenario: Scenario = {
      validators: ["V0", "V1", "V2"].map((address, index) => ({
        address,
        power: 10n,
        behaviour: index === 0 ? silent : honestBehaviour,
      })),
      observer: false,
      chaos: HEALED,
      chaosMs: 100,
      troubleEveryMs: 10_000,
      updatesAt: () => [],
    };
    expect(runScenario(1, scenario, () => {}).failure).toContain("liveness: height 3 not reached");
  });
});

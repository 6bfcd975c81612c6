/** Any sequence of decoded inputs: no throw, no second vote for a step, no vote without its ground, the same again on replay. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { createMachine } from "./machine.ts";
import { parse } from "./testing/script.ts";
import type { Effect, Input, Vote } from "./types.ts";

const setup = { self: "B" };
const round = fc.integer({ min: 0, max: 4 });
const block = fc.constantFrom("X", "Y", "nil");
const realBlock = fc.constantFrom("X", "Y");
const voters = fc.constantFrom("A", "C", "D", "A C", "A C D", "C D", "B", "Z");
const step = fc.constantFrom("propose", "prevote", "precommit");
const at = fc.oneof(
  { weight: 12, arbitrary: fc.constant("1") },
  { weight: 3, arbitrary: fc.constantFrom("0", "2", "3", "9", "NaN") },
);

const row: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(fc.constantFrom("prevote", "precommit"), round, block, voters, at)
    .map((p) => `${p.slice(0, 4).join(" ")} at ${p[4]}`),
  fc
    .tuple(round, realBlock, fc.integer({ min: -1, max: 3 }), at)
    .map((p) => `proposal ${p[0]} ${p[1]} pol ${p[2]} at ${p[3]}`),
  fc.tuple(fc.constantFrom("valid", "invalid"), realBlock).map((p) => p.join(" ")),
  fc.tuple(step, round).map((p) => `timeout ${p.join(" ")}`),
  fc.tuple(round, realBlock).map((p) => `built ${p.join(" ")}`),
  fc
    .tuple(fc.integer({ min: 0, max: 1 }), round, realBlock)
    .map((p) => (p[0] === 0 ? `certificate ${p[1]} ${p[2]}` : "start 2")),
);

/** Feeds the inputs; each signed message of ours comes back as the next input, as the host would do it. */
function drive(rows: readonly string[]): { log: Input[]; effects: Effect[] } {
  const machine = createMachine();
  const log: Input[] = [];
  const effects: Effect[] = [];
  const queue = ["start", ...rows].flatMap((text) => parse(text, setup));
  for (let input = queue.shift(); input !== undefined; input = queue.shift()) {
    log.push(input);
    const caused = machine.handle(input);
    effects.push(...caused);
    for (const effect of caused.toReversed()) {
      if (effect.type === "signVote") queue.unshift({ type: "vote", vote: effect.vote as never });
      if (effect.type === "signProposal")
        queue.unshift({ type: "proposal", proposal: effect.proposal as never });
    }
  }
  return { log, effects };
}

function signersOf(
  log: readonly Input[],
  vote: Vote,
  kind: Vote["kind"],
  blockId: string | null,
): number {
  const signers = new Set<string>();
  for (const input of log) {
    if (input.type !== "vote" || !"ABCD".includes(input.vote.validator)) continue;
    const { vote: seen } = input;
    const same =
      seen.height === vote.height &&
      seen.round === vote.round &&
      seen.kind === kind &&
      seen.blockId === blockId;
    if (same) signers.add(seen.validator);
  }
  return signers.size;
}

it("signs once per height, round and kind, and precommits a block only on a polka", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
      const { log, effects } = drive(rows);
      const signed = new Set<string>();
      for (const effect of effects) {
        if (effect.type === "signProposal") {
          const key = `proposal ${effect.proposal.height}/${effect.proposal.round}`;
          expect(signed.has(key)).toBe(false);
          signed.add(key);
        }
        if (effect.type !== "signVote") continue;
        const { vote } = effect;
        const key = `${vote.kind} ${vote.height}/${vote.round}`;
        expect(signed.has(key)).toBe(false);
        signed.add(key);
        if (vote.kind === "precommit" && vote.blockId !== null) {
          expect(signersOf(log, vote, "prevote", vote.blockId)).toBeGreaterThanOrEqual(3);
        }
      }
    }),
    { numRuns: 600 },
  );
});

it("commits once per height, only blocks found valid", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
      const { log, effects } = drive(rows);
      const committed = new Set<number>();
      for (const effect of effects) {
        if (effect.type !== "commit") continue;
        const { height, blockId } = effect.certificate;
        expect(committed.has(height)).toBe(false);
        committed.add(height);
        const verdicts = log.filter(
          (input) =>
            input.type === "blockChecked" && input.height === height && input.blockId === blockId,
        );
        expect(verdicts[0]).toMatchObject({ valid: true });
      }
    }),
    { numRuns: 300 },
  );
});

it("gives the same effects for the same inputs", () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 60 }), (rows) => {
      const { log, effects } = drive(rows);
      const again = createMachine();
      expect(log.flatMap((input) => again.handle(input))).toEqual(effects);
    }),
    { numRuns: 200 },
  );
});

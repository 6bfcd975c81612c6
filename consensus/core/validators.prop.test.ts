import fc from "fast-check";
import { expect, it } from "vitest";
import { POWER_TOTAL_MAX } from "./limits.ts";
import {
  applyUpdates,
  createValidatorSet,
  incrementProposerPriority,
  type ValidatorUpdate,
} from "./validators.ts";

const update = (powerMin: bigint): fc.Arbitrary<ValidatorUpdate> =>
  fc.record({
    address: fc
      .integer({ min: 0, max: 40 })
      .map((id) => id.toString(16).toUpperCase().padStart(2, "0")),
    power: fc.oneof(
      fc.bigInt(powerMin, 5n),
      fc.bigInt(1n, 1000n),
      fc.bigInt(1n, POWER_TOTAL_MAX / 100n),
    ),
  });

const updateList = (powerMin: bigint, minLength: number): fc.Arbitrary<ValidatorUpdate[]> =>
  fc.uniqueArray(update(powerMin), {
    minLength,
    maxLength: 12,
    selector: (change) => change.address,
  });

it("reaches the same priorities by one jump as by single steps", () => {
  fc.assert(
    fc.property(updateList(1n, 1), fc.integer({ min: 2, max: 60 }), (genesis, times) => {
      const start = createValidatorSet(genesis);
      let walked = start;
      for (let turn = 0; turn < times; turn += 1) walked = incrementProposerPriority(walked, 1);
      expect(incrementProposerPriority(start, times)).toEqual(walked);
    }),
    { numRuns: 200 },
  );
});

it("keeps order, total and the centred window through any updates that are accepted", () => {
  fc.assert(
    fc.property(
      updateList(1n, 1),
      fc.array(updateList(0n, 0), { maxLength: 6 }),
      (genesis, rounds) => {
        let set = createValidatorSet(genesis);
        for (const changes of rounds) {
          const before = set;
          try {
            set = applyUpdates(set, changes);
          } catch {
            expect(set).toBe(before);
          }
          const priorities = set.validators.map((validator) => validator.priority);
          const sum = priorities.reduce((total, priority) => total + priority, 0n);
          const count = BigInt(priorities.length);
          if (set !== before) expect(sum >= 0n && sum < count).toBe(true);
          set = incrementProposerPriority(set, 1);
          expect(set.totalPower).toBe(
            set.validators.reduce((total, validator) => total + validator.power, 0n),
          );
          for (const [index, validator] of set.validators.entries()) {
            const next = set.validators[index + 1];
            if (next === undefined) continue;
            const ordered =
              validator.power > next.power ||
              (validator.power === next.power && validator.address < next.address);
            expect(ordered).toBe(true);
          }
          expect(set.validators.some((validator) => validator.address === set.proposer)).toBe(true);
        }
      },
    ),
    { numRuns: 200 },
  );
});

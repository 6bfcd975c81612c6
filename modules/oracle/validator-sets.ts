/** The validator sets that sign recent and coming heights, kept so that a commit is judged against committed state alone. */
import { equalBytes } from "@keel/proto/bytes/compare";
import type { ReadContext, WriteContext } from "../kit/context.ts";
import { assert } from "../kit/errors.ts";
import type { OracleValidator } from "./ports.ts";
import type { OracleState } from "./state.ts";

/** The set that signs `height`, in consensus order; empty when none is known. */
export function validatorsAt(
  ctx: ReadContext,
  state: OracleState,
  height: number,
): readonly OracleValidator[] {
  let found: readonly OracleValidator[] = [];
  state.validatorSets.each(
    ctx,
    (from, set) => {
      if (from > height) return false;
      found = set.validators;
      return true;
    },
    { descending: true },
  );
  return found;
}

function isSame(a: readonly OracleValidator[], b: readonly OracleValidator[]): boolean {
  return (
    a.length === b.length &&
    a.every((one, i) => {
      const other = b[i] as OracleValidator;
      const sameKey = equalBytes(one.pubKey, other.pubKey);
      return sameKey && equalBytes(one.address, other.address) && one.power === other.power;
    })
  );
}

/** `validators` sign from `fromHeight` on; nothing changes when they already do, as after an import. Sets nobody can need any more (their successor signs heights before H−1) are dropped. */
export function setValidators(
  ctx: WriteContext,
  state: OracleState,
  fromHeight: number,
  validators: readonly OracleValidator[],
): void {
  assert(validators.length > 0, "a validator set must not be empty");
  if (isSame(validatorsAt(ctx, state, fromHeight), validators)) return;
  state.validatorSets.set(ctx, fromHeight, {
    fromHeight: BigInt(fromHeight),
    validators: validators.map(({ address, pubKey, power }) => ({ address, pubKey, power })),
  });
  const heights: number[] = [];
  state.validatorSets.each(ctx, (from) => {
    heights.push(from);
  });
  for (let i = 0; i + 1 < heights.length; i++) {
    const successor = heights[i + 1] as number;
    if (successor <= ctx.header.height - 1) state.validatorSets.delete(ctx, heights[i] as number);
  }
}

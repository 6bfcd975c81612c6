/** Everything that is fixed for one height, and its memory. */
import type { Height, ValidatorSet } from "../core/types.ts";
import { createProposerSchedule, type ProposerSchedule } from "../core/validators.ts";
import { extensionsEnabled, maxBlockBytes } from "../wire/params.ts";
import { maxParts } from "../wire/part-set.ts";
import type { ExtendedCommit, ValidatorInfo } from "../wire/types.ts";
import { addressToCore } from "../wire/validator-set.ts";
import { nextHeight } from "./blocks.ts";
import { createEarlyInputs, type EarlyInputs } from "./early-inputs.ts";
import type { ChainState } from "./ports.ts";
import { createRoundState, type RoundState } from "./round-state.ts";
import { coreSet } from "./validator-sets.ts";

export interface HeightContext {
  readonly height: Height;
  /** After the previous block. */
  readonly state: ChainState;
  readonly set: ValidatorSet;
  readonly memory: RoundState;
  /** What peers say before it has begun. */
  readonly early: EarlyInputs;
  /** Precommits of this height (of the previous one) carry extensions. */
  readonly extensionsEnabled: boolean;
  readonly lastExtensionsEnabled: boolean;
  readonly partsMax: number;
  proposerAt(round: number): ValidatorInfo;
}

/** `lastCommit`: the seen commit of the previous height, null at the initial one. */
export function createHeight(state: ChainState, lastCommit: ExtendedCommit | null): HeightContext {
  const height = nextHeight(state);
  const set = coreSet(state.lastValidators, state.validators);
  const schedule: ProposerSchedule = createProposerSchedule(set);
  const byAddress = new Map(
    state.validators.map((validator) => [addressToCore(validator.address), validator]),
  );
  const partsMax = maxParts(maxBlockBytes(state.consensusParams));
  return {
    height,
    state,
    set,
    memory: createRoundState({
      height,
      validators: state.validators,
      lastValidators: state.lastValidators,
      lastCommit,
      partsMax,
    }),
    early: createEarlyInputs(state.validators),
    extensionsEnabled: extensionsEnabled(state.consensusParams, height),
    lastExtensionsEnabled: extensionsEnabled(state.consensusParams, height - 1),
    partsMax,
    proposerAt(round) {
      const proposer = byAddress.get(schedule.proposerAt(round));
      if (proposer === undefined)
        throw new Error(`height ${height}: the proposer of round ${round} is not in the set`);
      return proposer;
    },
  };
}

/** Chain state from block to block: what a decided block and the application's answer make of it. No I/O. */
import { resultsHash } from "../wire/abci.ts";
import { applyParamsUpdate, paramsUpdateProblem } from "../wire/params.ts";
import type { ChainState, FinalizeBlockResponse, StoredBlock } from "./ports.ts";
import { nextSet } from "./validator-sets.ts";

/**
 * The state after `stored` with `response`: validator updates act two heights later, parameter updates at the next. Throws when the
 * application answered something impossible; nothing has changed then, and the process must stop.
 */
export function nextState(
  state: ChainState,
  stored: StoredBlock,
  response: FinalizeBlockResponse,
): ChainState {
  const { header, txs } = stored.block;
  const { height } = header;
  if (response.txResults.length !== txs.length) {
    throw new Error(
      `application: expected ${txs.length} results for block ${height}, got ${response.txResults.length}`,
    );
  }
  const update = response.consensusParamUpdates;
  const problem =
    update === null ? null : paramsUpdateProblem(state.consensusParams, update, height);
  if (problem !== null)
    throw new Error(`application: impossible parameter update in block ${height}: ${problem}`);
  const consensusParams =
    update === null ? state.consensusParams : applyParamsUpdate(state.consensusParams, update);
  const hasNewValidators = response.validatorUpdates.length > 0;
  return {
    ...state,
    lastHeight: height,
    lastBlockId: stored.blockId,
    lastBlockTime: header.time,
    lastValidators: state.validators,
    validators: state.nextValidators,
    nextValidators: nextSet(state.nextValidators, response.validatorUpdates),
    lastHeightValidatorsChanged: hasNewValidators ? height + 2 : state.lastHeightValidatorsChanged,
    consensusParams,
    lastHeightParamsChanged: update === null ? state.lastHeightParamsChanged : height + 1,
    lastResultsHash: resultsHash(response.txResults),
    appHash: response.appHash,
    appVersion: update === null ? state.appVersion : Number(consensusParams.version.app),
  };
}

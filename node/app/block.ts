/** Executes one block on the live branch: oracle update, beginBlock, transactions, endBlock, running invariants. */

import type { ProposedBlock } from "@keel/consensus/host/ports";
import type { ExecTxResult, RecordedEvent, Event as WireEvent } from "@keel/consensus/wire/abci";
import type { ConsensusParams } from "@keel/consensus/wire/types";
import type { BlockHeader, WriteContext } from "@keel/modules/kit/context";
import { unlimitedGas } from "@keel/modules/kit/gas";
import type { ModuleDefinition } from "@keel/modules/kit/module";
import type { Branch } from "@keel/modules/kit/store";
import { txKeys } from "@keel/modules/oracle/lists/keys";
import { bytesToHex } from "@keel/proto/bytes/hex";
import { timestampToNanos } from "@keel/proto/bytes/timestamp";
import type { MsgOracleUpdate } from "@keel/proto/gen/keel/oracle/v1/tx";
import type { Keel } from "./app.ts";
import { addMode } from "./block-events.ts";
import { activeBlock, type BlockMoment } from "./chain-record.ts";
import { isIdle } from "./completeness.ts";
import { type Asked, writeContext } from "./contexts.ts";
import { asContained } from "./faults.ts";
import { firstViolation } from "./invariants.ts";
import { oracleTxRequired, readOracleTx } from "./oracle-tx.ts";
import type { Router } from "./router.ts";
import { runOracleTx } from "./run-oracle-tx.ts";
import type { TxReader } from "./transactions.ts";
import type { Work } from "./work.ts";

export interface ExecutedBlock {
  readonly header: BlockHeader;
  readonly events: readonly WireEvent[];
  readonly txResults: readonly ExecTxResult[];
}

export interface BlockExecutor {
  /** Writes on `state`; throws only for a broken machine. */
  execute(
    state: Branch,
    block: ProposedBlock,
    params: ConsensusParams,
    asked?: Asked,
  ): ExecutedBlock;
}

/** null: unlimited. */
interface BlockGas {
  readonly max: bigint | null;
  readonly left: bigint | null;
}

/** `update`: of transaction 0; null where none is asked for. `txs`: those after it. */
interface Parted {
  readonly update: MsgOracleUpdate | null;
  readonly txs: readonly Uint8Array[];
}

interface Finished {
  /** Of transactions that were overdue. */
  readonly results: readonly ExecTxResult[];
  readonly gas: BlockGas;
  /** It brings nothing of what is overdue: it does nothing at all, so that the round can still be finished as it was. Since this block. */
  readonly idleSince: BlockMoment | null;
}

export interface BlockExecutorOptions {
  readonly keel: Keel;
  readonly chainId: string;
  readonly router: Router;
  readonly read: TxReader["read"];
  readonly onFault: (height: number, where: string, error: Error) => void;
}

export function blockHeader(chainId: string, block: ProposedBlock): BlockHeader {
  return {
    chainId,
    height: block.height,
    timeNs: timestampToNanos(block.time),
    proposer: bytesToHex(block.proposerAddress),
  };
}

/** null: unlimited. */
export function blockGasMax(params: ConsensusParams): bigint | null {
  return params.block.maxGas < 0n ? null : params.block.maxGas;
}

export function createBlockExecutor(options: BlockExecutorOptions): BlockExecutor {
  const { keel, onFault } = options;

  function runHook(
    block: Work,
    name: "beginBlock" | "endBlock",
    module: ModuleDefinition,
  ): boolean {
    const hook = module[name];
    return hook === undefined || runStep(block, { name, of: module.name }, hook);
  }

  /** Behind its own savepoint: what it throws ends there. */
  function runStep(
    block: Work,
    { name, of }: { readonly name: "beginBlock" | "endBlock"; readonly of: string },
    step: (context: WriteContext) => void,
  ): boolean {
    const savepoint = block.state.savepoint();
    const events: RecordedEvent[] = [];
    try {
      step(writeContext(block.header, block.state, unlimitedGas(), events, block.asked));
    } catch (error) {
      const bug = asContained(error);
      block.state.revert(savepoint);
      onFault(block.header.height, `${name} ${of}`, bug);
      return false;
    }
    append(block.events, addMode(events, name));
    return true;
  }

  /** `round`: for which they are listed. Returns what is left of the block's gas. */
  function runTransactions(
    block: Work,
    txs: readonly Uint8Array[],
    round: number | null,
    gas: BlockGas,
  ): BlockGas {
    let { left } = gas;
    const header = round === null ? block.header : { ...block.header, round };
    for (const bytes of txs) {
      const result = options.router({
        tx: options.read(bytes),
        mode: "deliver",
        header,
        state: block.state,
        blockGasMax: gas.max,
        blockGasLeft: left,
      });
      if (left !== null) left = result.gasUsed >= left ? 0n : left - result.gasUsed;
      block.results.push(resultOf(result));
    }
    return { max: gas.max, left };
  }

  /**
   * Before the block's own prices and time: what was listed for the last block and missing there, the round that it put off, and its end, liquidations too, in
   * the last block's context. So nothing that came since has a say in that round, and nothing of the end of a block comes before it. Of the transactions those that stand first and were missing.
   * After a standstill all of that has the block's own time instead, at which the prices from before are stale: nothing fills at them, and what has timed out is refused.
   */
  function finishRound(block: Work, { txs, update }: Parted, gas: BlockGas): Finished {
    const nothing: Finished = { results: [], gas, idleSince: null };
    const context = hookContext(block);
    const last = activeBlock(keel.chain, context);
    if (last === undefined) return nothing;
    const { height, timeNs } = block.header;
    const missing = keel.oracle.putOff({
      ...context,
      header: { ...block.header, height: last.height },
    });
    if (missing === null) return nothing;
    const isOutdated = update?.outdated === true;
    if (txs.length === 0 && !isOutdated && isIdle(height, last.height))
      return { ...nothing, idleSince: last };
    keel.oracle.endPutOff(context);
    // Such a block has the time of before the standstill: its own word makes the prices stale.
    if (isOutdated) block.results.push(runOracleTx(keel, block, update, onFault));
    const isLate = isOutdated || keel.oracle.isOutdated(context, timeNs - last.timeNs);
    const header = {
      ...block.header,
      height: last.height,
      timeNs: isLate ? timeNs : last.timeNs,
      proposer: "",
    };
    const before: Work = { ...block, header, results: [] };
    const keys = txKeys(txs);
    const late = keys.findIndex((key) => !missing.has(key));
    const overdue = late < 0 ? txs : txs.slice(0, late);
    const left = runTransactions(before, overdue, header.height, gas);
    const sound = runStep(before, { name: "beginBlock", of: "round put off" }, (context) =>
      keel.derivatives.endRound(context),
    );
    closeBlock(before, sound);
    return { results: before.results, gas: left, idleSince: null };
  }

  /**
   * What is listed for the block's own round, which stands first, and then the round itself, unless something is missing: before any transaction that nobody
   * named, so that none of them, whoever sends or places it, has a say in whether an order of the round is filled.
   */
  function runRound(
    block: Work,
    txs: readonly Uint8Array[],
    { gas, results }: Finished,
  ): {
    readonly from: number;
    readonly gas: BlockGas;
    readonly sound: boolean;
    readonly isHeld: boolean;
  } {
    let from = results.length;
    let left = gas;
    let sound = true;
    const listed = keel.oracle.listedNow(hookContext(block));
    if (listed !== null) {
      const keys = txKeys(txs);
      while (listed.has(keys[from] ?? "")) from += 1;
      left = runTransactions(block, txs.slice(results.length, from), block.header.height, gas);
      sound = runStep(block, { name: "endBlock", of: "inclusion list" }, (context) =>
        keel.oracle.closeList(context, keys),
      );
    }
    if (keel.oracle.putOff(hookContext(block)) !== null)
      return { from, gas: left, sound, isHeld: false };
    const held = runStep(block, { name: "beginBlock", of: "round" }, (context) =>
      keel.derivatives.endRound(context),
    );
    return { from, gas: left, sound: sound && held, isHeld: true };
  }

  /** A broken ledger never goes on as if nothing had happened: what the hooks did is undone, and if that does not help all clearing stops. */
  function closeBlock(block: Work, listClosed: boolean): void {
    const savepoint = block.state.savepoint();
    const eventsBefore = block.events.length;
    let sound = listClosed;
    for (const module of keel.endBlock) sound = runHook(block, "endBlock", module) && sound;
    const context = hookContext(block);
    const violation = firstViolation(context, keel.genesis);
    if (violation !== null) {
      onFault(block.header.height, `invariant ${violation.name}`, new Error(violation.detail));
      block.state.revert(savepoint);
      block.events.length = eventsBefore;
      const event = {
        module: violation.module,
        invariant: violation.name,
        detail: violation.detail,
      };
      const held: RecordedEvent[] = [];
      const stopping = writeContext(block.header, block.state, unlimitedGas(), held, block.asked);
      stopping.emit("invariant_broken", event);
      keel.stopClearing(stopping, `invariant ${violation.name} is broken`);
      append(block.events, addMode(held, "endBlock"));
    } else if (!sound) {
      stopClearing(block, "endBlock");
    }
  }

  function stopClearing(block: Work, step: "beginBlock" | "endBlock"): void {
    const held: RecordedEvent[] = [];
    keel.stopClearing(
      writeContext(block.header, block.state, unlimitedGas(), held, block.asked),
      `a step in ${step} failed`,
    );
    append(block.events, addMode(held, step));
  }

  function hookContext(block: Work): WriteContext {
    return writeContext(block.header, block.state, unlimitedGas(), []);
  }

  return {
    execute(state, proposed, params, asked) {
      const header = blockHeader(options.chainId, proposed);
      const block: Work = { header, state, events: [], results: [], asked };
      let txs = proposed.txs;
      const [first] = txs;
      const { voteExtensionsEnableHeight } = params.abci;
      const update =
        first !== undefined && oracleTxRequired(voteExtensionsEnableHeight, header.height)
          ? readOracleTx(first)
          : null;
      if (update !== null) txs = txs.slice(1);
      const max = blockGasMax(params);
      const finished = finishRound(block, { txs, update }, { max, left: max });
      const { height, timeNs } = header;
      if (finished.idleSince !== null) {
        keel.chain.lastBlock.set(hookContext(block), {
          height,
          timeNs,
          active: finished.idleSince,
        });
        if (update !== null) block.results.push(IDLE);
        return { header, events: block.events, txResults: block.results };
      }
      // Of one that says `outdated` it may have run already.
      if (update !== null && block.results.length === 0)
        block.results.push(runOracleTx(keel, block, update, onFault));
      for (const result of finished.results) block.results.push(result);
      keel.ante.beginBlock(hookContext(block));
      let sound = true;
      for (const module of keel.beginBlock) sound = runHook(block, "beginBlock", module) && sound;
      // Before the transactions: none may trade on what a failed step left undone.
      if (!sound) stopClearing(block, "beginBlock");
      const left = runRound(block, txs, finished);
      runTransactions(block, txs.slice(left.from), null, left.gas);
      keel.ante.endBlock(hookContext(block));
      // The end of a block that puts its round off comes after that round.
      if (left.isHeld) closeBlock(block, left.sound);
      keel.chain.lastBlock.set(hookContext(block), { height, timeNs });
      return { header, events: block.events, txResults: block.results };
    },
  };
}

/** Of an update whose block does nothing. */
const IDLE: ExecTxResult = {
  code: 0,
  codespace: "",
  log: "",
  info: "",
  data: new Uint8Array(0),
  gasWanted: 0n,
  gasUsed: 0n,
  events: [],
};

/** What the block keeps of it. Spelled out: it is done for every transaction. */
function resultOf(result: ExecTxResult): ExecTxResult {
  return {
    code: result.code,
    codespace: result.codespace,
    log: result.log,
    info: result.info,
    data: result.data,
    gasWanted: result.gasWanted,
    gasUsed: result.gasUsed,
    events: result.events,
  };
}

/** One by one: as arguments of one call, the events of a wave of liquidations would not fit the stack. */
function append(events: WireEvent[], more: readonly WireEvent[]): void {
  for (const event of more) events.push(event);
}

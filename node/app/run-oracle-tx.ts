/** Runs transaction 0. It pays no fee and has no signer: processProposal judged it, and whoever replays the block judges it again here. */
import type { ExecTxResult, RecordedEvent } from "@keel/consensus/wire/abci";
import { ModuleError } from "@keel/modules/kit/errors";
import { unlimitedGas } from "@keel/modules/kit/gas";
import type { MsgOracleUpdate } from "@keel/proto/gen/keel/oracle/v1/tx";
import type { Keel } from "./app.ts";
import { mark, messageContext, writeContext } from "./contexts.ts";
import { asContained } from "./faults.ts";
import { encodeTxMsgData } from "./msg-data.ts";
import { ORACLE_UPDATE } from "./oracle-tx.ts";
import type { Work } from "./work.ts";

export function runOracleTx(
  keel: Keel,
  block: Work,
  update: MsgOracleUpdate,
  onFault: (height: number, where: string, error: Error) => void,
): ExecTxResult {
  const route = keel.messages.get(ORACLE_UPDATE);
  if (route === undefined) throw new Error(`${ORACLE_UPDATE} has no handler`);
  const gas = unlimitedGas();
  const events: RecordedEvent[] = [];
  const savepoint = block.state.savepoint();
  const context = writeContext(block.header, block.state, gas, events);
  context.emit("message", { action: ORACLE_UPDATE, module: "oracle" });
  const base = { info: "", gasWanted: 0n, gasUsed: 0n, data: new Uint8Array(0) };
  try {
    const value = route.handle(messageContext(context, []), update);
    mark(events, 0, "msg_index", "0");
    return {
      ...base,
      code: 0,
      codespace: "",
      log: "",
      data: encodeTxMsgData([{ typeUrl: route.responseTypeUrl, value }]),
      events,
    };
  } catch (error) {
    block.state.revert(savepoint);
    if (error instanceof ModuleError) {
      const { code, codespace, message } = error;
      return { ...base, code, codespace, log: message, events: [] };
    }
    onFault(block.header.height, `message ${ORACLE_UPDATE}`, asContained(error));
    return { ...base, code: 111_222, codespace: "undefined", log: "internal error", events: [] };
  }
}

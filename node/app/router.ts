/** Runs one transaction: ante, then messages, each behind its own savepoint; results, events, gas and codes as the SDK reports them. */
import type { ExecTxResult, RecordedEvent, Event as WireEvent } from "@keel/consensus/wire/abci";
import type { Ante } from "@keel/modules/auth/ante";
import type { MinGasPrice } from "@keel/modules/auth/fees";
import type { AnteMode } from "@keel/modules/auth/tx";
import type { Addresses } from "@keel/modules/kit/addresses";
import type { BlockHeader, WriteContext } from "@keel/modules/kit/context";
import { ModuleError } from "@keel/modules/kit/errors";
import type { GasMeter } from "@keel/modules/kit/gas";
import { limitedGas, OutOfGasError } from "@keel/modules/kit/gas";
import { sdkError } from "@keel/modules/kit/sdk-errors";
import type { WriteState } from "@keel/modules/kit/store";
import { mark, messageContext, writeContext } from "./contexts.ts";
import { asContained } from "./faults.ts";
import { QUERY_GAS_MAX } from "./limits.ts";
import { encodeTxMsgData } from "./msg-data.ts";
import type { RoutedMessage, RunnableTx } from "./transactions.ts";

export interface TxResult extends ExecTxResult {
  readonly msgResponses: readonly { readonly typeUrl: string; readonly value: Uint8Array }[];
}

export interface RunRequest {
  readonly tx: RunnableTx | ModuleError;
  readonly mode: AnteMode;
  readonly header: BlockHeader;
  readonly state: WriteState;
  readonly blockGasMax: bigint | null;
  /** null: unlimited. A transaction that uses more keeps only what its ante did. */
  readonly blockGasLeft: bigint | null;
}

export interface RouterOptions {
  readonly ante: Ante;
  readonly addresses: Addresses;
  readonly minGasPrices: readonly MinGasPrice[];
  readonly onFault: (height: number, where: string, error: Error) => void;
}

export type Router = (request: RunRequest) => TxResult;

const none: Uint8Array = new Uint8Array(0);
/** What the SDK reports for a panic. */
const INTERNAL = { codespace: "undefined", code: 111_222 } as const;

export function createRouter(options: RouterOptions): Router {
  return (request) => {
    const { tx, mode, header, state } = request;
    if (tx instanceof ModuleError) return refused(tx, 0n, 0n, []);
    const gasWanted = tx.fee?.gasLimit ?? 0n;
    const gas = limitedGas(mode === "simulate" ? QUERY_GAS_MAX : gasWanted);
    const events: RecordedEvent[] = [];
    const start = state.savepoint();
    // Nobody is told what a second check saw.
    const context =
      mode === "recheck"
        ? { header, state, gas, emit: ignore }
        : writeContext(header, state, gas, events);
    try {
      options.ante.run(context, {
        tx,
        mode,
        minGasPrices: options.minGasPrices,
        blockGasMax: request.blockGasMax,
      });
    } catch (error) {
      state.revert(start);
      return failed(options, request, { error, gas, where: "ante", events: [] });
    }
    if (mode === "check" || mode === "recheck") return success(gas, events, []);
    return runMessages(options, request, { tx, gas, context, events });
  };
}

function ignore(): void {}

/** What a transaction's steps share: `context` emits into `events`, which begin with the ante's. */
interface Run {
  readonly tx: RunnableTx;
  readonly gas: GasMeter;
  readonly context: WriteContext;
  readonly events: RecordedEvent[];
}

function runMessages(options: RouterOptions, request: RunRequest, run: Run): TxResult {
  const { state } = request;
  const { gas, events } = run;
  const { routed } = run.tx;
  const responses: { typeUrl: string; value: Uint8Array }[] = [];
  const start = state.savepoint();
  const ofAnte = events.length;
  let where = "messages";
  try {
    for (let index = 0; index < routed.length; index++) {
      const message = routed[index] as RoutedMessage;
      where = `message ${message.route.typeUrl}`;
      const before = events.length;
      const value = runMessage(options, run, message, index);
      responses.push({ typeUrl: message.route.responseTypeUrl, value });
      mark(events, before, "msg_index", String(index));
    }
    if (request.blockGasLeft !== null && gas.used > request.blockGasLeft)
      throw sdkError("outOfGas", "block gas limit exceeded");
  } catch (error) {
    state.revert(start);
    events.length = ofAnte;
    return failed(options, request, { error, gas, where, events });
  }
  return success(gas, events, responses);
}

/** Returns the encoded response. */
function runMessage(
  options: RouterOptions,
  { context }: Run,
  { route, message, signers }: RoutedMessage,
  index: number,
): Uint8Array {
  const action = route.typeUrl;
  const module = moduleOf(action);
  const [sender] = signers;
  if (sender === undefined) context.emit("message", { action, module });
  else context.emit("message", { action, sender: options.addresses.format(sender), module });
  try {
    return route.handle(messageContext(context, signers), message);
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    const text = `failed to execute message; message index: ${index}: ${error.message}`;
    throw new ModuleError(error.codespace, error.code, text);
  }
}

/** "/keel.margin.v1.MsgDeposit": margin. Only types that have a route are asked about, so there are few. */
function moduleOf(typeUrl: string): string {
  let module = moduleNames.get(typeUrl);
  if (module === undefined) {
    module = typeUrl.split(".")[1] ?? "";
    moduleNames.set(typeUrl, module);
  }
  return module;
}

const moduleNames = new Map<string, string>();

function success(
  gas: GasMeter,
  events: readonly WireEvent[],
  msgResponses: TxResult["msgResponses"],
): TxResult {
  return {
    code: 0,
    codespace: "",
    log: "",
    info: "",
    data: msgResponses.length === 0 ? none : encodeTxMsgData(msgResponses),
    gasWanted: gas.limit,
    gasUsed: gas.used,
    events,
    msgResponses,
  };
}

function refused(
  error: ModuleError,
  gasWanted: bigint,
  gasUsed: bigint,
  events: readonly WireEvent[],
): TxResult {
  const { code, codespace, message } = error;
  return {
    code,
    codespace,
    log: message,
    info: "",
    data: none,
    gasWanted,
    gasUsed,
    events,
    msgResponses: [],
  };
}

function failed(
  options: RouterOptions,
  request: RunRequest,
  failure: {
    readonly error: unknown;
    readonly gas: GasMeter;
    readonly where: string;
    readonly events: readonly WireEvent[];
  },
): TxResult {
  const { error, gas, where, events } = failure;
  if (error instanceof ModuleError) return refused(error, gas.limit, gas.used, events);
  if (error instanceof OutOfGasError) {
    const text = `${error.message}; gasWanted: ${gas.limit}, gasUsed: ${gas.used}`;
    return refused(sdkError("outOfGas", text), gas.limit, gas.used, events);
  }
  const bug = asContained(error);
  options.onFault(request.header.height, where, bug);
  const refusal = new ModuleError(INTERNAL.codespace, INTERNAL.code, "internal error");
  // A bug costs its finder the whole limit, so that it cannot be used to work for nothing.
  return refused(refusal, gas.limit, request.mode === "simulate" ? gas.used : gas.limit, events);
}

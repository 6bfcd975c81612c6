/** Runs one transaction: ante, then messages, each behind its own savepoint; results, events, gas and codes as the SDK reports them. */
import type { ExecTxResult, Event as WireEvent } from "@keel/consensus/wire/abci";
import type { Ante, AnteMode } from "@keel/modules/auth/ante";
import type { MinGasPrice } from "@keel/modules/auth/fees";
import type { Addresses } from "@keel/modules/kit/addresses";
import type { BlockHeader } from "@keel/modules/kit/context";
import { ModuleError } from "@keel/modules/kit/errors";
import type { GasMeter } from "@keel/modules/kit/gas";
import { limitedGas, OutOfGasError } from "@keel/modules/kit/gas";
import { sdkError } from "@keel/modules/kit/sdk-errors";
import type { WriteState } from "@keel/modules/kit/store";
import { type CollectedEvent, mark, messageContext, writeContext } from "./contexts.ts";
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
    const anteEvents: CollectedEvent[] = [];
    const start = state.savepoint();
    // Nobody is told what a second check saw.
    const context =
      mode === "recheck"
        ? { header, state, gas, emit: ignore }
        : writeContext(header, state, gas, anteEvents);
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
    if (mode === "check" || mode === "recheck") return success(gas, anteEvents, []);
    return runMessages(options, request, { tx, gas, anteEvents });
  };
}

function ignore(): void {}

function runMessages(
  options: RouterOptions,
  request: RunRequest,
  run: {
    readonly tx: RunnableTx;
    readonly gas: GasMeter;
    readonly anteEvents: readonly WireEvent[];
  },
): TxResult {
  const { state } = request;
  const { gas, anteEvents } = run;
  const events: WireEvent[] = [...anteEvents];
  const responses: { typeUrl: string; value: Uint8Array }[] = [];
  const start = state.savepoint();
  let where = "messages";
  try {
    run.tx.routed.forEach((routed, index) => {
      where = `message ${routed.route.typeUrl}`;
      const done = runMessage(options, request, { routed, gas, index });
      responses.push({ typeUrl: routed.route.responseTypeUrl, value: done.response });
      mark(done.events, "msg_index", String(index));
      for (const event of done.events) events.push(event);
    });
    if (request.blockGasLeft !== null && gas.used > request.blockGasLeft)
      throw sdkError("outOfGas", "block gas limit exceeded");
  } catch (error) {
    state.revert(start);
    return failed(options, request, { error, gas, where, events: anteEvents });
  }
  return success(gas, events, responses);
}

function runMessage(
  options: RouterOptions,
  request: RunRequest,
  one: { readonly routed: RoutedMessage; readonly gas: GasMeter; readonly index: number },
): { readonly events: CollectedEvent[]; readonly response: Uint8Array } {
  const { route, message, signers } = one.routed;
  const action = route.typeUrl;
  const module = moduleOf(action);
  const [sender] = signers;
  const events: CollectedEvent[] = [];
  const context = writeContext(request.header, request.state, one.gas, events);
  if (sender === undefined) context.emit("message", { action, module });
  else context.emit("message", { action, sender: options.addresses.format(sender), module });
  try {
    return { response: route.handle(messageContext(context, signers), message), events };
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    const text = `failed to execute message; message index: ${one.index}: ${error.message}`;
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

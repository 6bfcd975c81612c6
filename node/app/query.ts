/** ABCI queries: gRPC paths on the state of the asked height, store keys with proofs, dry runs. Errors read as gRPC's do. */
import type { QueryRequest, QueryResponse } from "@keel/consensus/host/ports";
import { WireReader } from "@keel/modules/auth/wire";
import { ModuleError } from "@keel/modules/kit/errors";
import { limitedGas, OutOfGasError } from "@keel/modules/kit/gas";
import type { QueryRoute } from "@keel/modules/kit/module";
import { sdkError } from "@keel/modules/kit/sdk-errors";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { SimulateResponse } from "cosmjs-types/cosmos/tx/v1beta1/service";
import { type CommitStore, HeightUnavailable } from "../store/types.ts";
import { readContext } from "./contexts.ts";
import { type DerivedTime, DerivedTimeUsedUp, type OldHeights } from "./derived-time.ts";
import { QUERY_BYTES_MAX, QUERY_GAS_MAX, TX_BYTES_MAX } from "./limits.ts";
import type { TxResult } from "./router.ts";
import type { CommittedView } from "./state.ts";

export interface QueryOptions {
  readonly store: CommitStore;
  readonly routes: ReadonlyMap<string, QueryRoute>;
  readonly version: string;
  /** null before the first block. */
  readonly latest: () => CommittedView | null;
  readonly viewAt: (height: number) => CommittedView | null;
  readonly oldHeights: OldHeights;
  readonly newest: DerivedTime;
  readonly simulate: (tx: Uint8Array) => TxResult;
  readonly onFault: (height: number, where: string, error: Error) => void;
}

const none: Uint8Array = new Uint8Array(0);
const SIMULATED_GAS_WANTED = (1n << 64n) - 1n;
const SIMULATE = "/cosmos.tx.v1beta1.Service/Simulate";

export async function answerQuery(
  options: QueryOptions,
  request: QueryRequest,
): Promise<QueryResponse> {
  const latest = options.latest();
  const height = request.height === 0 ? (latest?.header.height ?? 0) : request.height;
  try {
    if (latest === null)
      throw sdkError("invalidHeight", "keel is not ready; please wait for first block");
    const isSimulation = request.path === SIMULATE || request.path === "/app/simulate";
    if (request.data.length > (isSimulation ? TX_BYTES_MAX + 64 : QUERY_BYTES_MAX))
      throw sdkError("invalidRequest", `request of ${request.data.length} bytes is too large`);
    if (height < 0 || height > latest.header.height) {
      throw sdkError(
        "invalidHeight",
        "cannot query with height in the future; please provide a valid height",
      );
    }
    if (request.path.startsWith("/store/")) return await storeQuery(options, request, height);
    return { ...answer(height), value: runQuery(options, request, height) };
  } catch (error) {
    return refusal(options, request, height, error);
  }
}

function answer(height: number): QueryResponse {
  return {
    code: 0,
    codespace: "",
    log: "",
    info: "",
    index: 0n,
    key: none,
    value: none,
    proofOps: null,
    height,
  };
}

function runQuery(options: QueryOptions, request: QueryRequest, height: number): Uint8Array {
  if (request.path === "/app/version") return utf8ToBytes(options.version);
  if (request.path === "/app/simulate") return simulation(options.simulate(request.data));
  if (request.path === SIMULATE) return simulation(options.simulate(simulatedTx(request.data)));
  const route = options.routes.get(request.path);
  if (route === undefined) throw sdkError("unknownRequest", "unknown query path");
  const view = options.viewAt(height);
  if (view === null) {
    throw sdkError("invalidRequest", `state at height ${height} is no longer held by this node`);
  }
  const context = readContext(view.header, view.branch, limitedGas(QUERY_GAS_MAX));
  const work = (): Uint8Array => route.handle(context, request.data);
  if (!route.derives) return work();
  const isOld = height !== options.latest()?.header.height;
  return isOld ? options.oldHeights.answer(view.branch, work) : options.newest.answer(work);
}

async function storeQuery(
  options: QueryOptions,
  request: QueryRequest,
  height: number,
): Promise<QueryResponse> {
  const [, , name, part, ...rest] = request.path.split("/");
  if (name === undefined || part !== "key" || rest.length > 0)
    throw sdkError(
      "unknownRequest",
      `expected /store/<name>/key, got ${request.path.slice(0, 100)}`,
    );
  if (request.data.length === 0) throw sdkError("txDecode", "query cannot be zero length");
  if (request.prove && height <= 1) {
    throw sdkError(
      "invalidRequest",
      "cannot query with proof when height <= 1; please provide a valid height",
    );
  }
  const { store } = options;
  if (height < store.oldestHeight()) await store.load(height);
  if (!request.prove) {
    const value = store.get(name, request.data, height) ?? none;
    return { ...answer(height), key: request.data, value };
  }
  const { value, proofOps } = store.prove(name, request.data, height);
  return { ...answer(height), key: request.data, value: value ?? none, proofOps };
}

/** `SimulateRequest{tx = 1 (old), tx_bytes = 2}`; a Tx and a TxRaw have the same bytes. */
function simulatedTx(request: Uint8Array): Uint8Array {
  const reader = new WireReader(request);
  let old: Uint8Array = none;
  let bytes: Uint8Array = none;
  while (!reader.done) {
    const field = reader.tag();
    if (field === 1) old = reader.bytes();
    else if (field === 2) bytes = reader.bytes();
    else reader.skip();
  }
  const tx = bytes.length > 0 ? bytes : old;
  if (tx.length === 0) throw sdkError("invalidRequest", "empty tx is not allowed");
  return tx;
}

function simulation(result: TxResult): Uint8Array {
  if (result.code !== 0) throw new ModuleError(result.codespace, result.code, result.log);
  return SimulateResponse.encode(
    SimulateResponse.fromPartial({
      // Bounded all the same, by what a query may cost; stock clients expect the SDK's figure.
      gasInfo: { gasWanted: SIMULATED_GAS_WANTED, gasUsed: result.gasUsed },
      result: {
        data: result.data,
        log: "",
        events: result.events.map(({ type, attributes }) => ({
          type,
          attributes: attributes.map((one) => ({ ...one })),
        })),
        msgResponses: [...result.msgResponses],
      },
    }),
  ).finish();
}

const GRPC: Readonly<Record<number, readonly [name: string, code: number]>> = {
  4: ["Unauthenticated", 4],
  7: ["InvalidArgument", 18],
  10: ["InvalidArgument", 18],
  18: ["InvalidArgument", 18],
  22: ["NotFound", 22],
  26: ["InvalidArgument", 18],
  38: ["NotFound", 22],
};

function refusal(
  options: QueryOptions,
  request: QueryRequest,
  height: number,
  error: unknown,
): QueryResponse {
  const base = { ...answer(height), codespace: "sdk" };
  if (error instanceof HeightUnavailable) return { ...base, code: 26, log: error.message };
  if (error instanceof OutOfGasError || error instanceof DerivedTimeUsedUp) {
    const why = error instanceof DerivedTimeUsedUp ? error.message : "query too expensive";
    return { ...base, code: 11, log: `rpc error: code = ResourceExhausted desc = ${why}` };
  }
  if (!(error instanceof ModuleError)) {
    // Undecodable request bytes (a RangeError in most decoders) and unknown store names end here too. A query writes nothing, so whatever
    // went wrong in it ends with it.
    const bug = error instanceof Error ? error : new Error("unknown fault");
    options.onFault(height, `query ${request.path.slice(0, 100)}`, bug);
    const log = `rpc error: code = InvalidArgument desc = ${bug.message}: invalid request`;
    return { ...base, code: 18, log };
  }
  if (request.path.startsWith("/store/") || request.path.startsWith("/app/"))
    return { ...base, codespace: error.codespace, code: error.code, log: error.message };
  const [name, code] = (error.codespace === "sdk" ? GRPC[error.code] : undefined) ?? ["Unknown", 6];
  return { ...base, code, log: `rpc error: code = ${name} desc = ${error.message}` };
}

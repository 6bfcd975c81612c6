/** From bytes to a transaction that can be run: decoded once, its messages routed, checked without state, its signers known. */
import type { SignedTx } from "@keel/modules/auth/signatures";
import { decodeTx, type Tx } from "@keel/modules/auth/tx";
import { parseError } from "@keel/modules/auth/wire";
import type { Addresses } from "@keel/modules/kit/addresses";
import { keelAminoMessage } from "@keel/modules/kit/amino";
import { ModuleError } from "@keel/modules/kit/errors";
import type { MessageRoute } from "@keel/modules/kit/module";
import { sdkError } from "@keel/modules/kit/sdk-errors";
import { bytesToLatin1, equalBytes } from "@keel/proto/bytes/compare";
import { TX_BYTES_MAX } from "./limits.ts";

export interface RoutedMessage {
  readonly route: MessageRoute;
  readonly message: unknown;
  /** Who must sign this message, first signer first. */
  readonly signers: readonly Uint8Array[];
}

export interface RunnableTx extends SignedTx {
  readonly routed: readonly RoutedMessage[];
  /** The latest lane of its messages. */
  readonly lane: number;
}

/** The same bytes object is asked for at admission, in rechecks and in a proposal; answers live as long as it does. */
export type TxReader = (bytes: Uint8Array) => RunnableTx | ModuleError;

export function createTxReader(
  routes: ReadonlyMap<string, MessageRoute>,
  addresses: Addresses,
): TxReader {
  const known = new WeakMap<Uint8Array, RunnableTx | ModuleError>();
  return (bytes) => {
    let answer = known.get(bytes);
    if (answer === undefined) {
      answer = read(bytes, routes, addresses);
      known.set(bytes, answer);
    }
    return answer;
  };
}

function read(
  bytes: Uint8Array,
  routes: ReadonlyMap<string, MessageRoute>,
  addresses: Addresses,
): RunnableTx | ModuleError {
  try {
    if (bytes.length > TX_BYTES_MAX) {
      throw sdkError("txTooLarge", `expected at most ${TX_BYTES_MAX} bytes, got ${bytes.length}`);
    }
    return runnable(decodeTx(bytes), routes, addresses);
  } catch (error) {
    if (error instanceof ModuleError) return error;
    throw error;
  }
}

function runnable(
  tx: Tx,
  routes: ReadonlyMap<string, MessageRoute>,
  addresses: Addresses,
): RunnableTx {
  if (tx.messages.length === 0)
    throw sdkError("invalidRequest", "must contain at least one message");
  const decoded = tx.messages.map(({ typeUrl, value }) => {
    const route = routes.get(typeUrl);
    if (route === undefined)
      throw parseError(`unable to resolve type URL ${typeUrl.slice(0, 200)}`);
    return { route, message: decodeMessage(route, value) };
  });
  const routed = decoded.map(({ route, message }) => {
    route.validate(message);
    return { route, message, signers: route.signers(message).map((one) => addresses.parse(one)) };
  });
  const payer = tx.fee?.payer ?? "";
  const signers = unique([
    ...routed.flatMap((one) => one.signers),
    ...(payer === "" ? [] : [addresses.parse(payer)]),
  ]);
  if (routed.some(({ signers: needed }) => needed.length === 0)) {
    throw sdkError("unauthorized", "a message without signers is made by block proposers only");
  }
  return {
    ...tx,
    routed,
    signers,
    lane: routed.reduce((lane, { route, message }) => Math.max(lane, route.lane(message)), 1),
    aminoMessages: () => aminoForms(routed),
  };
}

function aminoForms(routed: readonly RoutedMessage[]): readonly unknown[] | null {
  const forms = routed.map(
    ({ route, message }) => route.amino?.(message) ?? keelAminoMessage(route.typeUrl, message),
  );
  return forms.some((form) => form === null) ? null : forms;
}

/** Unknown fields and other spellings of the same message are refused: what was signed is what is run. */
function decodeMessage(route: MessageRoute, value: Uint8Array): unknown {
  let message: unknown;
  let canonical: Uint8Array;
  try {
    message = route.decode(value);
    canonical = route.encode(message);
  } catch (error) {
    throw parseError(`${route.typeUrl}: ${(error as Error).message}`);
  }
  if (!equalBytes(canonical, value))
    throw parseError(`${route.typeUrl}: unknown fields or not in canonical form`);
  return message;
}

function unique(addresses: readonly Uint8Array[]): Uint8Array[] {
  const seen = new Set<string>();
  return addresses.filter((address) => {
    const key = bytesToLatin1(address);
    return !seen.has(key) && seen.add(key);
  });
}

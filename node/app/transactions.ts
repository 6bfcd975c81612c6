/** From bytes to a transaction that can be run: decoded once, its messages routed, checked without state, its signers known. */
import type { SignedTx } from "@keel/modules/auth/tx";
import { decodeTx, type Tx } from "@keel/modules/auth/tx";
import { parseError } from "@keel/modules/auth/wire";
import type { Addresses } from "@keel/modules/kit/addresses";
import { keelAminoMessage } from "@keel/modules/kit/amino";
import { ModuleError } from "@keel/modules/kit/errors";
import { unknownFieldProblem } from "@keel/modules/kit/known-fields";
import type { MessageRoute } from "@keel/modules/kit/module";
import { sdkError } from "@keel/modules/kit/sdk-errors";
import type { SignatureQuestion } from "@keel/modules/kit/signature";
import { bytesToLatin1, equalBytes } from "@keel/proto/bytes/compare";
import { Generations } from "../crypto/generations.ts";
import { asContained } from "./faults.ts";
import { fieldTableOf } from "./field-tables.ts";
import { READ_TXS_MAX, TX_BYTES_MAX } from "./limits.ts";

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

/**
 * The same transaction is asked for at admission, in rechecks, in a proposal and in its block, there as another copy of its bytes. Answers
 * depend on the bytes alone. The last ones are found by the bytes object, those of admitted transactions also by content.
 */
export interface TxReader {
  read(bytes: Uint8Array): RunnableTx | ModuleError;
  /** As `read`, and remembers the answer for other copies of the bytes, past blocks: of what waits for its check or its block. */
  admit(bytes: Uint8Array): RunnableTx | ModuleError;
  /** After a block: what it held is not asked for again, and would only be carried along. Admitted transactions stay known. */
  forget(): void;
}

export function createTxReader(
  routes: ReadonlyMap<string, MessageRoute>,
  addresses: Addresses,
): TxReader {
  let byObject = new Generations<Uint8Array, RunnableTx | ModuleError>(READ_TXS_MAX);
  const admitted = new Generations<string, Admitted>(READ_TXS_MAX);
  const find = (bytes: Uint8Array, keep: boolean): RunnableTx | ModuleError => {
    const before = byObject.get(bytes);
    if (before !== undefined) return before;
    const end = endOf(bytes);
    const known = admitted.get(end);
    const isKnown = known !== undefined && isSame(known.bytes, bytes);
    const answer = isKnown ? known.answer : read(bytes, routes, addresses);
    byObject.set(bytes, answer);
    // Also when it is known: what is asked for again stays among the last ones.
    if (keep && bytes.length <= ADMITTED_BYTES_MAX)
      admitted.set(end, isKnown ? known : { bytes, answer });
    return answer;
  };
  return {
    read: (bytes) => find(bytes, false),
    admit: (bytes) => find(bytes, true),
    forget() {
      byObject = new Generations(READ_TXS_MAX);
    },
  };
}

interface Admitted {
  readonly bytes: Uint8Array;
  readonly answer: RunnableTx | ModuleError;
}

/** Larger transactions are rare and their memory is not. */
const ADMITTED_BYTES_MAX = 2_048;

/** A transaction ends with a signature, so its end tells it apart. Of several made to end alike, the last is known. */
function endOf(bytes: Uint8Array): string {
  return bytesToLatin1(bytes.subarray(-END_BYTES));
}

const END_BYTES = 24;

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
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
    // A bug in a stateless check must not stop whoever is sent the bytes; the machine's own errors go up.
    const bug = asContained(error);
    return new ModuleError("undefined", 111_222, `internal error: ${bug.message}`);
  }
}

const none: readonly Uint8Array[] = [];

function runnable(
  tx: Tx,
  routes: ReadonlyMap<string, MessageRoute>,
  addresses: Addresses,
): RunnableTx {
  if (tx.messages.length === 0)
    throw sdkError("invalidRequest", "must contain at least one message");
  const routed: RoutedMessage[] = [];
  for (const { typeUrl, value } of tx.messages) {
    const route = routes.get(typeUrl);
    if (route === undefined)
      throw parseError(`unable to resolve type URL ${typeUrl.slice(0, 200)}`);
    routed.push({ route, message: decodeMessage(route, value), signers: none });
  }
  // All of them are readable: now what they say.
  let lane = 1;
  let all: readonly Uint8Array[] = none;
  for (let index = 0; index < routed.length; index++) {
    const { route, message } = routed[index] as RoutedMessage;
    route.validate(message);
    const signers = route.signers(message).map((one) => addresses.parse(one));
    if (signers.length === 0) {
      throw sdkError("unauthorized", "a message without signers is made by block proposers only");
    }
    all = index === 0 ? signers : [...all, ...signers];
    const own = route.lane(message);
    if (own > lane) lane = own;
    routed[index] = { route, message, signers };
  }
  const payer = tx.fee?.payer ?? "";
  if (payer !== "") all = [...all, addresses.parse(payer)];
  const signers = unique(all);
  // Spelled out: spreading a record of this size costs more than decoding it.
  return {
    size: tx.size,
    bodyBytes: tx.bodyBytes,
    authInfoBytes: tx.authInfoBytes,
    signatures: tx.signatures,
    messages: tx.messages,
    memo: tx.memo,
    timeoutHeight: tx.timeoutHeight,
    unordered: tx.unordered,
    timeoutTimestampNs: tx.timeoutTimestampNs,
    extensionOptions: tx.extensionOptions,
    hasNonCriticalExtensions: tx.hasNonCriticalExtensions,
    signerInfos: tx.signerInfos,
    fee: tx.fee,
    signDoc: null,
    proven: null,
    routed,
    signers,
    lane,
    aminoMessages: () => aminoForms(routed),
  };
}

/** What the handlers of its messages are going to ask the verifier. */
export function signaturesInside(tx: RunnableTx): readonly SignatureQuestion[] {
  return tx.routed.flatMap(({ route, message }) => route.signatures?.(message) ?? []);
}

function aminoForms(routed: readonly RoutedMessage[]): readonly unknown[] | null {
  const forms = routed.map(
    ({ route, message }) => route.amino?.(message) ?? keelAminoMessage(route.typeUrl, message),
  );
  return forms.some((form) => form === null) ? null : forms;
}

/** Unknown fields are refused: what was signed is what is run. Where no table of fields is published, by comparing a new encoding. */
function decodeMessage(route: MessageRoute, value: Uint8Array): unknown {
  const table = fieldTableOf(route.typeUrl);
  const unknown = table === null ? null : unknownFieldProblem(value, table);
  if (unknown !== null) throw parseError(`errUnknownField "${route.typeUrl}": ${unknown}`);
  let message: unknown;
  let canonical: Uint8Array = value;
  try {
    message = route.decode(value);
    if (table === null) canonical = route.encode(message);
  } catch (error) {
    // Decoders report bytes that end early as any kind of error, RangeError among them: all of it is the sender's.
    throw parseError(`${route.typeUrl}: ${(error as Error).message}`);
  }
  if (!equalBytes(canonical, value))
    throw parseError(`${route.typeUrl}: unknown fields or not in canonical form`);
  return message;
}

function unique(addresses: readonly Uint8Array[]): readonly Uint8Array[] {
  if (addresses.length === 1) return addresses;
  const seen = new Set<string>();
  return addresses.filter((address) => {
    const key = bytesToLatin1(address);
    return !seen.has(key) && seen.add(key);
  });
}

/** A transaction as it travels (`cosmos.tx.v1beta1.TxRaw`), decoded once; the received bytes are kept for hashing and signing. */
import type { SignatureQuestion } from "../kit/signature.ts";
import type { PublicKey } from "./account.ts";
import { EXTENSIONS_MAX, FEE_COINS_MAX, MESSAGES_MAX, SIGNERS_MAX } from "./limits.ts";
import { readAny } from "./public-keys.ts";
import { parseError, readMessage, WireReader } from "./wire.ts";

export interface AnyMessage {
  readonly typeUrl: string;
  readonly value: Uint8Array;
}

export interface FeeCoin {
  readonly denom: string;
  readonly amount: string;
}

export interface Fee {
  readonly amount: readonly FeeCoin[];
  readonly gasLimit: bigint;
  readonly payer: string;
  readonly granter: string;
}

/** How one signer signed. `bits` says which members of a threshold key did. */
export type ModeInfo =
  | { readonly kind: "single"; readonly mode: number }
  | {
      readonly kind: "multi";
      readonly bits: readonly boolean[];
      readonly modes: readonly ModeInfo[];
    };

export interface SignerInfo {
  readonly publicKey: PublicKey | null;
  readonly mode: ModeInfo | null;
  readonly sequence: bigint;
}

/** What was signed, as it was last asked for: admission, preparation and execution ask the same question. */
export interface SignDocBytes {
  readonly chainId: string;
  readonly accountNumber: bigint;
  readonly bytes: Uint8Array;
}

export interface Tx {
  /** Length of the whole transaction in bytes. */
  readonly size: number;
  readonly bodyBytes: Uint8Array;
  readonly authInfoBytes: Uint8Array;
  readonly signatures: readonly Uint8Array[];
  readonly messages: readonly AnyMessage[];
  readonly memo: string;
  readonly timeoutHeight: bigint;
  readonly unordered: boolean;
  /** Nanoseconds since the Unix epoch; null when unset. */
  readonly timeoutTimestampNs: bigint | null;
  /** Type URLs of critical extension options. */
  readonly extensionOptions: readonly string[];
  readonly hasNonCriticalExtensions: boolean;
  readonly signerInfos: readonly SignerInfo[];
  readonly fee: Fee | null;
  /** Kept by whoever checks the signature; no part of the transaction. */
  signDoc: SignDocBytes | null;
  /** The question about its first signature that was answered with yes; likewise. */
  proven: SignatureQuestion | null;
}

/** A decoded transaction with what its messages say about signing. */
export interface SignedTx extends Tx {
  /** In order of first appearance in the messages, then the stated fee payer; without repetition. */
  readonly signers: readonly Uint8Array[];
  /** The messages as amino JSON values; null when one of them has no amino form. */
  readonly aminoMessages: () => readonly unknown[] | null;
}

/** `check` and `recheck`: mempool; `deliver`: a block; `simulate`: a dry run without signatures. */
export type AnteMode = "check" | "recheck" | "deliver" | "simulate";

const none: Uint8Array = new Uint8Array(0);

type Draft = { -readonly [K in keyof Tx]: Tx[K] };

/** Throws sdk 2 on anything but a canonical, fully known transaction. */
export function decodeTx(bytes: Uint8Array): Tx {
  const signatures: Uint8Array[] = [];
  const tx: Draft = {
    size: bytes.length,
    bodyBytes: none,
    authInfoBytes: none,
    signatures,
    messages: [],
    memo: "",
    timeoutHeight: 0n,
    unordered: false,
    timeoutTimestampNs: null,
    extensionOptions: [],
    hasNonCriticalExtensions: false,
    signerInfos: [],
    fee: null,
    signDoc: null,
    proven: null,
  };
  const reader = new WireReader(bytes);
  let last = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field < last) throw parseError("TxRaw: fields are not in ascending order");
    if (field === last && field !== 3) throw parseError("a field of TxRaw is given twice");
    last = field;
    if (field === 1) tx.bodyBytes = reader.bytes();
    else if (field === 2) tx.authInfoBytes = reader.bytes();
    else if (field === 3) push(signatures, reader.bytes(), SIGNERS_MAX, "signatures");
    else reader.unknown("/cosmos.tx.v1beta1.TxRaw", field);
  }
  readBody(tx);
  readAuthInfo(tx);
  return tx;
}

function push<T>(list: T[], item: T, max: number, what: string): void {
  if (list.length >= max) throw parseError(`more than ${max} ${what}`);
  list.push(item);
}

function readBody(tx: Draft): void {
  const messages: AnyMessage[] = [];
  const options: string[] = [];
  const reader = new WireReader(tx.bodyBytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    switch (field) {
      case 1:
        push(messages, reader.nested(readAny), MESSAGES_MAX, "messages");
        break;
      case 2:
        tx.memo = reader.text();
        break;
      case 3:
        tx.timeoutHeight = reader.uint64();
        break;
      case 4:
        tx.unordered = reader.boolean();
        break;
      case 5:
        tx.timeoutTimestampNs = reader.nested(readTimestamp);
        break;
      case 1023:
        push(options, reader.nested(readAny).typeUrl, EXTENSIONS_MAX, "extensions");
        break;
      case 2047:
        reader.bytes();
        tx.hasNonCriticalExtensions = true;
        break;
      default:
        reader.unknown("/cosmos.tx.v1beta1.TxBody", field, true);
    }
  }
  tx.messages = messages;
  tx.extensionOptions = options;
}

function readTimestamp(reader: WireReader): bigint {
  let seconds = 0n;
  let nanos = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) seconds = BigInt.asIntN(64, reader.uint64());
    else if (field === 2) nanos = reader.uint32();
    else reader.unknown("/google.protobuf.Timestamp", field);
  }
  // Years 1 to 9999, as protobuf bounds timestamps.
  if (seconds < -62_135_596_800n || seconds > 253_402_300_799n || nanos > 999_999_999)
    throw parseError("timestamp out of range");
  return seconds * 1_000_000_000n + BigInt(nanos);
}

function readAuthInfo(tx: Draft): void {
  const infos: SignerInfo[] = [];
  const reader = new WireReader(tx.authInfoBytes);
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) push(infos, reader.nested(readSignerInfo), SIGNERS_MAX, "signers");
    else if (field === 2) tx.fee = reader.nested(readFee);
    // A tip (deprecated upstream) promises nothing here.
    else if (field === 3) reader.bytes();
    else reader.unknown("/cosmos.tx.v1beta1.AuthInfo", field);
  }
  tx.signerInfos = infos;
}

function readSignerInfo(reader: WireReader): SignerInfo {
  let publicKey: PublicKey | null = null;
  let mode: ModeInfo | null = null;
  let sequence = 0n;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) publicKey = reader.nested(readAny);
    else if (field === 2) mode = reader.nested(readOuterMode);
    else if (field === 3) sequence = reader.uint64();
    else reader.unknown("/cosmos.tx.v1beta1.SignerInfo", field);
  }
  return { publicKey, mode, sequence };
}

const readOuterMode = (reader: WireReader): ModeInfo | null => readMode(reader, 0);

function readMode(reader: WireReader, depth: number): ModeInfo | null {
  if (depth > 2) throw parseError("mode info nested too deep");
  let mode: ModeInfo | null = null;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) mode = { kind: "single", mode: reader.nested(readSingle) };
    else if (field === 2) mode = reader.nested((inner) => readMulti(inner, depth));
    else reader.unknown("/cosmos.tx.v1beta1.ModeInfo", field);
  }
  return mode;
}

function readSingle(reader: WireReader): number {
  let mode = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) mode = reader.uint32();
    else reader.unknown("/cosmos.tx.v1beta1.ModeInfo.Single", field);
  }
  return mode;
}

function readMulti(multi: WireReader, depth: number): ModeInfo {
  let bits: readonly boolean[] = [];
  const modes: ModeInfo[] = [];
  readMessage("/cosmos.tx.v1beta1.ModeInfo.Multi", multi, {
    1: (reader) => {
      bits = reader.nested(readBits);
    },
    2: (reader) => {
      const mode = reader.nested((inner) => readMode(inner, depth + 1));
      if (mode === null) throw parseError("mode info without a mode");
      push(modes, mode, SIGNERS_MAX, "mode infos");
    },
  });
  return { kind: "multi", bits, modes };
}

/** `CompactBitArray`: the last byte may hold fewer than eight bits; bits count from the high end. */
function readBits(array: WireReader): readonly boolean[] {
  let extra = 0;
  let elements: Uint8Array = new Uint8Array(0);
  readMessage("/cosmos.crypto.multisig.v1beta1.CompactBitArray", array, {
    1: (reader) => {
      extra = reader.uint32();
    },
    2: (reader) => {
      elements = reader.bytes();
    },
  });
  if (extra > 7 || elements.length > 16 || (extra > 0 && elements.length === 0))
    throw parseError("bit array out of range");
  const count = extra === 0 ? elements.length * 8 : (elements.length - 1) * 8 + extra;
  return Array.from({ length: count }, (_, i) => {
    return ((elements[i >> 3] as number) & (1 << (7 - (i & 7)))) !== 0;
  });
}

function readFee(reader: WireReader): Fee {
  const amount: FeeCoin[] = [];
  let gasLimit = 0n;
  let payer = "";
  let granter = "";
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) push(amount, reader.nested(readCoin), FEE_COINS_MAX, "fee coins");
    else if (field === 2) gasLimit = reader.uint64();
    else if (field === 3) payer = reader.text();
    else if (field === 4) granter = reader.text();
    else reader.unknown("/cosmos.tx.v1beta1.Fee", field);
  }
  return { amount, gasLimit, payer, granter };
}

function readCoin(reader: WireReader): FeeCoin {
  let denom = "";
  let amount = "";
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) denom = reader.text();
    else if (field === 2) amount = reader.text();
    else reader.unknown("/cosmos.base.v1beta1.Coin", field);
  }
  return { denom, amount };
}

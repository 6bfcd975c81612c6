/** A transaction as it travels (`cosmos.tx.v1beta1.TxRaw`), decoded once; the received bytes are kept for hashing and signing. */
import type { PublicKey } from "./account.ts";
import { EXTENSIONS_MAX, FEE_COINS_MAX, MESSAGES_MAX, SIGNERS_MAX } from "./limits.ts";
import { readAny } from "./public-keys.ts";
import { parseError, readMessage, type WireReader } from "./wire.ts";

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
}

/** Throws sdk 2 on anything but a canonical, fully known transaction. */
export function decodeTx(bytes: Uint8Array): Tx {
  const none = new Uint8Array(0);
  let bodyBytes: Uint8Array = none;
  let authInfoBytes: Uint8Array = none;
  const signatures: Uint8Array[] = [];
  let [bodies, infos] = [0, 0];
  readMessage(
    "/cosmos.tx.v1beta1.TxRaw",
    bytes,
    {
      1: (reader) => {
        bodyBytes = reader.bytes();
        bodies++;
      },
      2: (reader) => {
        authInfoBytes = reader.bytes();
        infos++;
      },
      3: (reader) => push(signatures, reader.bytes(), SIGNERS_MAX, "signatures"),
    },
    { ascending: true },
  );
  if (bodies > 1 || infos > 1) throw parseError("a field of TxRaw is given twice");
  return {
    size: bytes.length,
    bodyBytes,
    authInfoBytes,
    signatures,
    ...decodeBody(bodyBytes),
    ...decodeAuthInfo(authInfoBytes),
  };
}

function push<T>(list: T[], item: T, max: number, what: string): void {
  if (list.length >= max) throw parseError(`more than ${max} ${what}`);
  list.push(item);
}

type Body = Pick<
  Tx,
  | "messages"
  | "memo"
  | "timeoutHeight"
  | "unordered"
  | "timeoutTimestampNs"
  | "extensionOptions"
  | "hasNonCriticalExtensions"
>;

function decodeBody(bytes: Uint8Array): Body {
  const messages: AnyMessage[] = [];
  const extensionOptions: string[] = [];
  let memo = "";
  let timeoutHeight = 0n;
  let unordered = false;
  let timeoutTimestampNs: bigint | null = null;
  let hasNonCriticalExtensions = false;
  readMessage(
    "/cosmos.tx.v1beta1.TxBody",
    bytes,
    {
      1: (reader) => push(messages, readAny(reader.bytes()), MESSAGES_MAX, "messages"),
      2: (reader) => {
        memo = reader.text();
      },
      3: (reader) => {
        timeoutHeight = reader.uint64();
      },
      4: (reader) => {
        unordered = reader.boolean();
      },
      5: (reader) => {
        timeoutTimestampNs = readTimestamp(reader.bytes());
      },
      1023: (reader) =>
        push(extensionOptions, readAny(reader.bytes()).typeUrl, EXTENSIONS_MAX, "extensions"),
      2047: (reader) => {
        reader.bytes();
        hasNonCriticalExtensions = true;
      },
    },
    { nonCritical: true },
  );
  return {
    messages,
    memo,
    timeoutHeight,
    unordered,
    timeoutTimestampNs,
    extensionOptions,
    hasNonCriticalExtensions,
  };
}

function readTimestamp(bytes: Uint8Array): bigint {
  let seconds = 0n;
  let nanos = 0;
  readMessage("/google.protobuf.Timestamp", bytes, {
    1: (reader) => {
      seconds = BigInt.asIntN(64, reader.uint64());
    },
    2: (reader) => {
      nanos = reader.uint32();
    },
  });
  // Years 1 to 9999, as protobuf bounds timestamps.
  if (seconds < -62_135_596_800n || seconds > 253_402_300_799n || nanos > 999_999_999)
    throw parseError("timestamp out of range");
  return seconds * 1_000_000_000n + BigInt(nanos);
}

function decodeAuthInfo(bytes: Uint8Array): Pick<Tx, "signerInfos" | "fee"> {
  const signerInfos: SignerInfo[] = [];
  let fee: Fee | null = null;
  readMessage("/cosmos.tx.v1beta1.AuthInfo", bytes, {
    1: (reader) => push(signerInfos, readSignerInfo(reader.bytes()), SIGNERS_MAX, "signers"),
    2: (reader) => {
      fee = readFee(reader.bytes());
    },
    // A tip (deprecated upstream) promises nothing here.
    3: (reader) => void reader.bytes(),
  });
  return { signerInfos, fee };
}

function readSignerInfo(bytes: Uint8Array): SignerInfo {
  let publicKey: PublicKey | null = null;
  let mode: ModeInfo | null = null;
  let sequence = 0n;
  readMessage("/cosmos.tx.v1beta1.SignerInfo", bytes, {
    1: (reader) => {
      publicKey = readAny(reader.bytes());
    },
    2: (reader) => {
      mode = readMode(reader.bytes(), 0);
    },
    3: (reader) => {
      sequence = reader.uint64();
    },
  });
  return { publicKey, mode, sequence };
}

function readMode(bytes: Uint8Array, depth: number): ModeInfo | null {
  if (depth > 2) throw parseError("mode info nested too deep");
  let mode: ModeInfo | null = null;
  readMessage("/cosmos.tx.v1beta1.ModeInfo", bytes, {
    1: (reader) => {
      let value = 0;
      readMessage("/cosmos.tx.v1beta1.ModeInfo.Single", reader.bytes(), {
        1: (inner) => {
          value = inner.uint32();
        },
      });
      mode = { kind: "single", mode: value };
    },
    2: (reader) => {
      mode = readMulti(reader.bytes(), depth);
    },
  });
  return mode;
}

function readMulti(bytes: Uint8Array, depth: number): ModeInfo {
  let bits: readonly boolean[] = [];
  const modes: ModeInfo[] = [];
  readMessage("/cosmos.tx.v1beta1.ModeInfo.Multi", bytes, {
    1: (reader) => {
      bits = readBits(reader.bytes());
    },
    2: (reader) => {
      const mode = readMode(reader.bytes(), depth + 1);
      if (mode === null) throw parseError("mode info without a mode");
      push(modes, mode, SIGNERS_MAX, "mode infos");
    },
  });
  return { kind: "multi", bits, modes };
}

/** `CompactBitArray`: the last byte may hold fewer than eight bits; bits count from the high end. */
function readBits(bytes: Uint8Array): readonly boolean[] {
  let extra = 0;
  let elements: Uint8Array = new Uint8Array(0);
  readMessage("/cosmos.crypto.multisig.v1beta1.CompactBitArray", bytes, {
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

function readFee(bytes: Uint8Array): Fee {
  const amount: FeeCoin[] = [];
  let gasLimit = 0n;
  let payer = "";
  let granter = "";
  readMessage("/cosmos.tx.v1beta1.Fee", bytes, {
    1: (reader) => push(amount, readCoin(reader), FEE_COINS_MAX, "fee coins"),
    2: (reader) => {
      gasLimit = reader.uint64();
    },
    3: (reader) => {
      payer = reader.text();
    },
    4: (reader) => {
      granter = reader.text();
    },
  });
  return { amount, gasLimit, payer, granter };
}

function readCoin(reader: WireReader): FeeCoin {
  let denom = "";
  let amount = "";
  readMessage("/cosmos.base.v1beta1.Coin", reader.bytes(), {
    1: (inner) => {
      denom = inner.text();
    },
    2: (inner) => {
      amount = inner.text();
    },
  });
  return { denom, amount };
}

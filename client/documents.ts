/**
 * Order documents: consent to trade, signed off-chain and handed to a matching engine or a counterparty. A wallet signs the document's text by
 * ADR-036 (Keplr's signArbitrary), a program its SHA-256. Bytes: FORMATS.md, "Order documents".
 */
import {
  type OfflineAminoSigner,
  pubkeyToRawAddress,
  type StdSignature,
  serializeSignDoc,
} from "@cosmjs/amino";
import { fromBase64, toBase64, toBech32, toUtf8 } from "@cosmjs/encoding";
import { sha256 } from "@keel/proto/bytes/sha256";
import {
  KeyType,
  OrderDocument,
  SignatureScheme,
  SignedDocument,
} from "@keel/proto/gen/keel/derivatives/v1/documents";
import { Side } from "@keel/proto/gen/keel/derivatives/v1/types";
import { formatDecimal, readDecimal } from "./decimal.ts";
import { KeelInputError } from "./errors.ts";
import { type MarketSteps, requireStep } from "./order-parts.ts";
import { checkedSubaccount, type OrderSide } from "./orders.ts";

export interface DocumentRequest {
  readonly market: string;
  readonly side: OrderSide;
  /** Decimals: the worst price, and the most that may ever be traded. */
  readonly price: string;
  readonly size: string;
  /** Unix milliseconds of chain time from which it is void. The chain bounds how far ahead. */
  readonly expiryMs: bigint | number;
  /** Most that a fee may be, of each trade's notional, in ppm. Default: the market's fees as they are, up to 5,000. */
  readonly feeMaxPpm?: number;
  /** Makes equal terms different documents. Default: the time, so that all earlier ones can be cancelled at once. */
  readonly salt?: bigint;
  /** Who may submit it; default: anyone. */
  readonly matcher?: string;
  readonly reduceOnly?: boolean;
  readonly subaccount?: number;
}

const FEE_MAX_PPM_DEFAULT = 5_000;

/** The document of `owner` on the chain `chainId`. Throws KeelInputError. */
export function orderDocument(
  chainId: string,
  owner: string,
  request: DocumentRequest,
  steps: MarketSteps,
): OrderDocument {
  if (request.side !== "buy" && request.side !== "sell")
    throw new KeelInputError("invalid-order", "side", `expected "buy" or "sell"`);
  requireStep("price", request.price, steps);
  requireStep("size", request.size, steps);
  const expiryMs = BigInt(request.expiryMs);
  if (expiryMs <= 0n)
    throw new KeelInputError("invalid-order", "expiryMs", `expected above 0, got ${expiryMs}`);
  return OrderDocument.fromPartial({
    chainId,
    owner,
    subaccount: checkedSubaccount(request.subaccount),
    market: request.market,
    side: request.side === "buy" ? Side.SIDE_BUY : Side.SIDE_SELL,
    price: formatDecimal(readDecimal("price", request.price)),
    size: formatDecimal(readDecimal("size", request.size)),
    feeMaxPpm: request.feeMaxPpm ?? FEE_MAX_PPM_DEFAULT,
    salt: request.salt ?? nextSalt(),
    expiryMs,
    matcher: request.matcher ?? "",
    reduceOnly: request.reduceOnly ?? false,
  });
}

let lastSalt = 0n;

/** Microseconds of this machine's clock, never the same twice. */
function nextSalt(): bigint {
  const now = BigInt(Date.now()) * 1_000n;
  lastSalt = now > lastSalt ? now : lastSalt + 1n;
  return lastSalt;
}

/** The document's name: SHA-256 of its bytes. */
export function documentHash(document: OrderDocument): Uint8Array {
  return sha256(OrderDocument.encode(document).finish());
}

/** What a wallet shows and signs: keys in order, defaults left out, 64-bit numbers as text. */
export function documentText(document: OrderDocument): string {
  const { chainId, owner, subaccount, market, side, price, size } = document;
  const { feeMaxPpm, salt, expiryMs, matcher, reduceOnly } = document;
  const value = {
    chain_id: chainId,
    expiry_ms: expiryMs.toString(),
    ...(feeMaxPpm === 0 ? {} : { fee_max_ppm: feeMaxPpm }),
    market,
    ...(matcher === "" ? {} : { matcher }),
    owner,
    price,
    ...(reduceOnly ? { reduce_only: true } : {}),
    ...(salt === 0n ? {} : { salt: salt.toString() }),
    side,
    size,
    ...(subaccount === 0 ? {} : { subaccount }),
  };
  return JSON.stringify({ type: "keel/OrderDocument", value });
}

/** The ADR-036 sign document of `data`, as wallets build it. */
export function adr036SignDoc(
  signer: string,
  data: string,
): Parameters<typeof serializeSignDoc>[0] {
  return {
    chain_id: "",
    account_number: "0",
    sequence: "0",
    fee: { gas: "0", amount: [] },
    msgs: [{ type: "sign/MsgSignData", value: { signer, data: toBase64(toUtf8(data)) } }],
    memo: "",
  };
}

/** The bytes a wallet signs. */
export function adr036Bytes(signer: string, document: OrderDocument): Uint8Array {
  return serializeSignDoc(adr036SignDoc(signer, documentText(document)));
}

const keyTypes: Readonly<Record<string, KeyType>> = {
  "tendermint/PubKeySecp256k1": KeyType.KEY_TYPE_SECP256K1,
  "tendermint/PubKeyEd25519": KeyType.KEY_TYPE_ED25519,
};

/** A document with what a wallet's `signArbitrary(chainId, signer, documentText(document))` answered. */
export function walletSigned(document: OrderDocument, answer: StdSignature): SignedDocument {
  const type = keyTypes[answer.pub_key.type];
  if (type === undefined)
    throw new KeelInputError(
      "unsupported-signer",
      "signer",
      `expected a secp256k1 or ed25519 key, got ${answer.pub_key.type}`,
    );
  return SignedDocument.fromPartial({
    document,
    key: { type, key: fromBase64(answer.pub_key.value as string) },
    scheme: SignatureScheme.SIGNATURE_SCHEME_ADR036,
    signature: fromBase64(answer.signature),
  });
}

/** Signs with an amino wallet; `address` is the signing key's, by default the document's owner. */
export async function signDocument(
  document: OrderDocument,
  signer: OfflineAminoSigner,
  address: string = document.owner,
): Promise<SignedDocument> {
  const { signed, signature } = await signer.signAmino(
    address,
    adr036SignDoc(address, documentText(document)),
  );
  const prefix = address.slice(0, address.lastIndexOf("1"));
  const signedBy = toBech32(prefix, pubkeyToRawAddress(signature.pub_key));
  const same = JSON.stringify(signed.msgs) === messageOf(address, document);
  if (signedBy !== address || !same)
    throw new KeelInputError("unsupported-signer", "signer", "the wallet signed something else");
  return walletSigned(document, signature);
}

function messageOf(address: string, document: OrderDocument): string {
  return JSON.stringify(adr036SignDoc(address, documentText(document)).msgs);
}

/** An order document: its shape, its name (the hash) and the bytes a signature covers. All of it without state. */

import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { OrderDocument, SignatureScheme } from "@keel/proto/gen/keel/derivatives/v1/documents";
import type { Addresses } from "../../kit/addresses.ts";
import { keelAminoMessage } from "../../kit/amino.ts";
import { canonicalJson } from "../../kit/canonical-json.ts";
import { addressOfKey } from "../../kit/key-address.ts";
import type { KeyKind } from "../../kit/signature.ts";
import { refuse } from "../errors.ts";
import { SYMBOL_BYTES_MAX } from "../limits.ts";
import { sideOf } from "../orders/requests.ts";

const DECIMAL = /^(0|[1-9][0-9]*)(\.[0-9]*[1-9])?$/;
const DECIMAL_LENGTH_MAX = 60;
/** CometBFT's bound. */
const CHAIN_ID_LENGTH_MAX = 50;
const PPM_MAX = 1_000_000;

function requireThat(condition: boolean, expected: string): asserts condition {
  if (!condition) throw refuse("invalidRequest", `order document: expected ${expected}`);
}

export function checkDocument(
  document: OrderDocument | undefined,
  addresses: Addresses,
): asserts document is OrderDocument {
  requireThat(document !== undefined, "a document");
  const { chainId, owner, market, side, price, size, feeMaxPpm, expiryMs, matcher } = document;
  requireThat(chainId.length > 0 && chainId.length <= CHAIN_ID_LENGTH_MAX, "a chain id");
  requireAddress(addresses, owner);
  requireThat(market.length > 0 && market.length <= SYMBOL_BYTES_MAX, "a market");
  requireThat(sideOf(side) !== null, "side buy or sell");
  requireThat(isDecimal(price), "a price in canonical decimals");
  requireThat(isDecimal(size), "a size in canonical decimals");
  requireThat(feeMaxPpm <= PPM_MAX, `a maximum fee of at most ${PPM_MAX} ppm`);
  requireThat(expiryMs > 0n && Number.isSafeInteger(Number(expiryMs)), "an expiry in milliseconds");
  if (matcher !== "") requireAddress(addresses, matcher);
}

/** As the chain writes it: bech32 has a second form in capitals, and who compares documents compares text. */
function requireAddress(addresses: Addresses, text: string): void {
  requireThat(addresses.format(addresses.parse(text)) === text, "addresses in lower case");
}

export function isDecimal(text: string): boolean {
  return text.length <= DECIMAL_LENGTH_MAX && DECIMAL.test(text) && text !== "0";
}

/** Decoded messages are immutable and asked about at admission and in their block. */
interface Forms {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

const known = new WeakMap<OrderDocument, Forms>();

function formsOf(document: OrderDocument): Forms {
  let forms = known.get(document);
  if (forms === undefined) {
    const bytes = OrderDocument.encode(document).finish();
    forms = { bytes, hash: sha256(bytes) };
    known.set(document, forms);
  }
  return forms;
}

/** SHA-256 of the canonical encoding, however the document was encoded when it came. */
export function documentHash(document: OrderDocument): Uint8Array {
  return formsOf(document).hash;
}

/** What a wallet shows and signs: the document as canonical amino JSON. */
export function documentText(document: OrderDocument): string {
  return canonicalJson(keelAminoMessage("/keel.derivatives.v1.OrderDocument", document));
}

/** ADR-036: an amino sign document of nothing but `data`, which no chain takes for a transaction. */
export function adr036Bytes(signer: string, data: string): Uint8Array {
  const document = {
    account_number: "0",
    chain_id: "",
    fee: { amount: [], gas: "0" },
    memo: "",
    msgs: [{ type: "sign/MsgSignData", value: { data: bytesToBase64(utf8ToBytes(data)), signer } }],
    sequence: "0",
  };
  return utf8ToBytes(canonicalJson(document));
}

/** The message a signature is asked about; null for an unknown scheme. ECDSA hashes it once more, so both kinds of key sign one SHA-256. */
export function documentMessage(
  document: OrderDocument,
  scheme: SignatureScheme,
  by: { readonly kind: KeyKind; readonly key: Uint8Array; readonly addresses: Addresses },
): Uint8Array | null {
  if (scheme === SignatureScheme.SIGNATURE_SCHEME_SHA256) {
    const { bytes, hash } = formsOf(document);
    return by.kind === "secp256k1" ? bytes : hash;
  }
  if (scheme !== SignatureScheme.SIGNATURE_SCHEME_ADR036) return null;
  const signer = by.addresses.format(addressOfKey(by.kind, by.key));
  return adr036Bytes(signer, documentText(document));
}

/** Traders with keys, documents in one line, and messages through their routes; for tests and simulation of this module. */
import type { OrderDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import {
  DocumentTrade,
  KeyType,
  OrderDocument as OrderDocumentCodec,
  SignatureScheme,
  SignedDocument,
} from "@keel/proto/gen/keel/derivatives/v1/documents";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { atomically } from "../../kit/atomically.ts";
import { addressOfKey } from "../../kit/key-address.ts";
import type { ProtoCodec } from "../../kit/module.ts";
import type { KeyKind } from "../../kit/signature.ts";
import { SYMBOL, TEST_ADDRESSES, type TestVenue, testSignature } from "../testing.ts";
import { documentMessage } from "./document.ts";

export interface TestKey {
  readonly kind: KeyKind;
  readonly key: Uint8Array;
  readonly bytes: Uint8Array;
  readonly address: string;
}

export function testKey(seed: number, kind: KeyKind = "secp256k1"): TestKey {
  const key = new Uint8Array(kind === "secp256k1" ? 33 : 32).fill(seed);
  const bytes = addressOfKey(kind, key);
  return { kind, key, bytes, address: TEST_ADDRESSES.format(bytes) };
}

/** Sub-account of the key's own address, open in the test ledger. */
export function openAccount(venue: TestVenue, key: TestKey, subaccount = 0): AccountId {
  const id = accountId(key.bytes, subaccount);
  if (!venue.clearing.exists(venue.ctx, id)) venue.clearing.open(id, 1_000_000n);
  return id;
}

export const EXPIRY_MS = 1_700_000_600_000n;

/** "buy 2 @ 60000", with whatever else is to be said about it. */
export function testDocument(
  owner: TestKey,
  text: string,
  change: Partial<OrderDocument> = {},
): OrderDocument {
  const [side, size = "", , price = ""] = text.split(" ");
  return OrderDocumentCodec.fromPartial({
    chainId: "test-1",
    owner: owner.address,
    market: SYMBOL,
    side: side === "buy" ? 1 : 2,
    price,
    size,
    feeMaxPpm: 1000,
    salt: 5n,
    expiryMs: EXPIRY_MS,
    ...change,
  });
}

export function testSigned(
  document: OrderDocument,
  by: TestKey,
  scheme: SignatureScheme = SignatureScheme.SIGNATURE_SCHEME_SHA256,
): SignedDocument {
  const { kind, key } = by;
  const message = documentMessage(document, scheme, { kind, key, addresses: TEST_ADDRESSES });
  const type = kind === "ed25519" ? KeyType.KEY_TYPE_ED25519 : KeyType.KEY_TYPE_SECP256K1;
  return SignedDocument.fromPartial({
    document,
    key: { type, key },
    scheme,
    signature: testSignature({ kind, key, message: message ?? new Uint8Array(0) }),
  });
}

export function testTrade(change: Partial<DocumentTrade> = {}): DocumentTrade {
  return DocumentTrade.fromPartial({
    buyer: 0,
    seller: 1,
    price: "60000",
    size: "1",
    taker: 1,
    ...change,
  });
}

/** Through encode, decode, validate and handle, as a transaction would. A refusal is thrown and changes nothing. */
export function sendMessage<R>(
  venue: Pick<TestVenue, "ctx" | "module">,
  name: string,
  message: object,
  response: ProtoCodec<R>,
): R {
  const route = venue.module.messages.find(({ typeUrl }) => typeUrl.endsWith(`.${name}`));
  if (route === undefined) throw new Error(`no route ${name}`);
  const decoded = route.decode(route.encode({ owner: "", ...message }));
  route.validate(decoded);
  const signers = route.signers(decoded).map((address) => TEST_ADDRESSES.parse(address));
  return response.decode(
    atomically(venue.ctx, (ctx) => route.handle({ ...ctx, signers }, decoded)),
  );
}

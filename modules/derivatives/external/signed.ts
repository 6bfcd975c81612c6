/** A signed order document: the question its signature asks, and whether the key that signed may. */
import {
  KeyType,
  type PublicKey,
  type SignedDocument,
} from "@keel/proto/gen/keel/derivatives/v1/documents";
import type { Addresses } from "../../kit/addresses.ts";
import type { WriteContext } from "../../kit/context.ts";
import { KEY_BYTES } from "../../kit/key-address.ts";
import type { KeyKind, SignatureQuestion } from "../../kit/signature.ts";
import { refuse } from "../errors.ts";
import { SIGNATURE_GAS } from "../limits.ts";
import type { Venue } from "../venue.ts";
import { checkDocument, documentMessage } from "./document.ts";

const KINDS: Readonly<Partial<Record<KeyType, KeyKind>>> = {
  [KeyType.KEY_TYPE_SECP256K1]: "secp256k1",
  [KeyType.KEY_TYPE_ED25519]: "ed25519",
};

export interface SigningKey {
  readonly kind: KeyKind;
  readonly key: Uint8Array;
}

export function parseKey(key: PublicKey | undefined): SigningKey {
  const kind = key === undefined ? undefined : KINDS[key.type];
  if (key === undefined || kind === undefined || key.key.length !== KEY_BYTES[kind]) {
    throw refuse("invalidRequest", "expected a secp256k1 key of 33 or an ed25519 key of 32 bytes");
  }
  return { kind, key: key.key };
}

const SIGNATURE_BYTES = 64;

const questions = new WeakMap<SignedDocument, SignatureQuestion>();

/** Throws ModuleError on anything malformed. The same question object at admission and in the block. */
export function questionOf(signed: SignedDocument, addresses: Addresses): SignatureQuestion {
  let question = questions.get(signed);
  if (question === undefined) {
    const { document, scheme, signature } = signed;
    checkDocument(document, addresses);
    const key = parseKey(signed.key);
    const message = documentMessage(document, scheme, { ...key, addresses });
    if (message === null || signature.length !== SIGNATURE_BYTES) {
      throw refuse("invalidRequest", "expected a known signature scheme and 64 bytes of signature");
    }
    question = { ...key, message, signature };
    questions.set(signed, question);
  }
  return question;
}

/** Charges for the check, then makes it. */
export function requireSignature(
  ctx: WriteContext,
  venue: Venue,
  signed: SignedDocument,
): SigningKey {
  const question = questionOf(signed, venue.addresses);
  ctx.gas.consume(SIGNATURE_GAS[question.kind], "order document signature");
  if (!venue.verify(question)) {
    throw refuse("invalidSignature", `the ${question.kind} signature does not fit the document`);
  }
  return question;
}

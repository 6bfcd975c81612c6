import { readFileSync } from "node:fs";
import { Secp256k1Wallet, serializeSignDoc } from "@cosmjs/amino";
import { Ed25519, Secp256k1, Secp256k1Signature } from "@cosmjs/crypto";
import { bytesToHexLower, hexToBytes } from "@keel/proto/bytes/hex";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { OrderDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { describe, expect, it, test } from "vitest";
import {
  adr036Bytes,
  adr036SignDoc,
  documentHash,
  documentText,
  orderDocument,
  signDocument,
} from "./documents.ts";
import { KeelInputError } from "./errors.ts";
import { TradingKey } from "./trading-key.ts";

interface Vector {
  readonly name: string;
  readonly document: string;
  readonly hash: string;
  readonly text: string;
  readonly signer: string;
  readonly adr036: string;
}

const { vectors } = JSON.parse(
  readFileSync(new URL("../proto/canonical/order-document-vectors.json", import.meta.url), "utf8"),
) as { vectors: Vector[] };

test.each(vectors)(
  "the document of $name has the published hash, text and wallet bytes",
  (vector) => {
    const document = OrderDocument.decode(hexToBytes(vector.document));
    expect(bytesToHexLower(documentHash(document))).toBe(vector.hash);
    expect(documentText(document)).toBe(vector.text);
    expect(bytesToHexLower(sha256(adr036Bytes(vector.signer, document)))).toBe(vector.adr036);
  },
);

const steps = { symbol: "BTC-USD-PERP", tickSize: "0.5", lotSize: "0.001" };
const request = {
  market: "BTC-USD-PERP",
  side: "buy",
  price: "60000.50",
  size: "1.0",
  expiryMs: 1_800_000_000_000,
} as const;
const secret = sha256(utf8ToBytes("documents"));

describe("order documents", () => {
  it("are written canonically, with a salt that never repeats", async () => {
    const { address } = await TradingKey.fromSecret("secp256k1", secret);
    const [one, two] = [0, 1].map(() => orderDocument("keel-1", address, request, steps));
    expect(one).toMatchObject({ price: "60000.5", size: "1", subaccount: 0, matcher: "" });
    expect(two!.salt).toBeGreaterThan(one!.salt);
    const wrong = (change: object) => () =>
      orderDocument("keel-1", address, { ...request, ...change }, steps);
    expect(wrong({ price: "60000.3" })).toThrow(KeelInputError);
    expect(wrong({ size: "0" })).toThrow(KeelInputError);
    expect(wrong({ expiryMs: 0 })).toThrow(KeelInputError);
    expect(wrong({ side: "both" })).toThrow(KeelInputError);
  });

  it("are signed by an amino wallet as ADR-036 says", async () => {
    const wallet = await Secp256k1Wallet.fromKey(secret, "keel");
    const [account] = await wallet.getAccounts();
    const document = orderDocument("keel-1", account!.address, request, steps);
    const signed = await signDocument(document, wallet);
    const bytes = serializeSignDoc(adr036SignDoc(account!.address, documentText(document)));
    const signature = Secp256k1Signature.fromFixedLength(signed.signature);
    expect(Secp256k1.verifySignature(signature, sha256(bytes), signed.key!.key)).toBe(true);
    expect(signed).toMatchObject({ scheme: 2, key: { type: 1 } });
  });

  it("are not taken from a wallet that signs something else", async () => {
    const wallet = await Secp256k1Wallet.fromKey(secret, "keel");
    const [account] = await wallet.getAccounts();
    const document = orderDocument("keel-1", account!.address, request, steps);
    const other = { ...document, size: "2" };
    await expect(
      signDocument(document, {
        getAccounts: () => wallet.getAccounts(),
        signAmino: (address) =>
          wallet.signAmino(address, adr036SignDoc(address, documentText(other))),
      }),
    ).rejects.toMatchObject({ code: "unsupported-signer" });
  });

  it.each(["secp256k1", "ed25519"] as const)(
    "are signed by a %s key over their hash",
    async (kind) => {
      const key = await TradingKey.fromSecret(kind, secret);
      const document = orderDocument("keel-1", key.address, request, steps);
      const signed = await key.signDocument(document);
      expect(signed.scheme).toBe(1);
      const hash = documentHash(document);
      const valid =
        kind === "ed25519"
          ? await Ed25519.verifySignature(signed.signature, hash, signed.key!.key)
          : Secp256k1.verifySignature(
              Secp256k1Signature.fromFixedLength(signed.signature),
              hash,
              signed.key!.key,
            );
      expect(valid).toBe(true);
    },
  );
});

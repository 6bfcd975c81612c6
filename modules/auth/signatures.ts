/** Public keys, sequences and signatures of a transaction's signers. */
import { bytesToBase64 } from "@keel/proto/bytes/base64";
import { equalBytes } from "@keel/proto/bytes/compare";
import type { Addresses } from "../kit/addresses.ts";
import type { WriteContext } from "../kit/context.ts";
import { ModuleError } from "../kit/errors.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import type { SignatureQuestion, VerifySignature } from "../kit/signature.ts";
import type { Account, PublicKey } from "./account.ts";
import { aminoSignBytes } from "./amino.ts";
import type { AuthKeeper } from "./keeper.ts";
import { checkMultisig, multisigGasKeys, readMultiSignature } from "./multisig.ts";
import type { AccountKey } from "./public-keys.ts";
import { keyAddress, readKey } from "./public-keys.ts";
import { directSignBytes, SIGN_MODE_DIRECT, SIGN_MODE_LEGACY_AMINO_JSON } from "./sign-bytes.ts";
import type { AnteMode, ModeInfo, SignedTx, Tx } from "./tx.ts";
import type { Params } from "./types.ts";

interface Ports {
  readonly keeper: AuthKeeper;
  readonly addresses: Addresses;
  readonly verify: VerifySignature;
}

function signerAccount(ctx: WriteContext, ports: Ports, address: Uint8Array): Account {
  const account = ports.keeper.account(ctx, address);
  if (account === undefined) {
    throw sdkError("unknownAddress", `account ${ports.addresses.format(address)} does not exist`);
  }
  return account;
}

/** Stores the key of an account that signs for the first time. A stored key is never replaced. */
export function setPublicKeys(ctx: WriteContext, ports: Ports, tx: SignedTx, mode: AnteMode): void {
  const { signers, signerInfos } = tx;
  for (let index = 0; index < signers.length; index++) {
    const address = signers[index] as Uint8Array;
    const given = signerInfos[index]?.publicKey ?? null;
    if (given === null) continue;
    const account = signerAccount(ctx, ports, address);
    // A stored key was compared with the address when it was stored.
    if (isSameKey(account.publicKey, given)) continue;
    if (mode !== "simulate" && !equalBytes(keyAddress(ownerKey(given)), address)) {
      throw sdkError(
        "invalidPubKey",
        `pubKey does not match signer address ${ports.addresses.format(address)} with signer index: ${index}`,
      );
    }
    if (account.publicKey === null) {
      const publicKey = { typeUrl: given.typeUrl, value: given.value.slice() };
      ports.keeper.update(ctx, { ...account, publicKey });
    }
  }
}

/** Who signs with what: how a transaction is found by its signer or its signature. */
export function emitSigners(ctx: WriteContext, ports: Ports, tx: SignedTx): void {
  const { signers, signerInfos } = tx;
  for (let index = 0; index < signers.length; index++) {
    const sequence = signerInfos[index]?.sequence ?? 0n;
    const signer = ports.addresses.format(signers[index] as Uint8Array);
    ctx.emit("tx", { acc_seq: `${signer}/${sequence}` });
    for (const signature of signatureParts(tx, index))
      ctx.emit("tx", { signature: bytesToBase64(signature) });
  }
}

function isSameKey(stored: PublicKey | null, given: PublicKey): boolean {
  return (
    stored !== null && stored.typeUrl === given.typeUrl && equalBytes(stored.value, given.value)
  );
}

/** A key that a transaction may bring along. ed25519 keys are known before, from the grant that made their account. */
function ownerKey(key: NonNullable<Account["publicKey"]>): AccountKey {
  const read = readKey(key);
  if (read.kind === "ed25519")
    throw sdkError("invalidPubKey", "ED25519 public keys are unsupported");
  return read;
}

function signatureParts(tx: Tx, index: number): readonly Uint8Array[] {
  const signature = tx.signatures[index] as Uint8Array;
  return tx.signerInfos[index]?.mode?.kind === "multi"
    ? readMultiSignature(signature)
    : [signature];
}

/** Single keys behind all signers: what the signature limit counts. */
export function countKeys(ctx: WriteContext, ports: Ports, tx: SignedTx): bigint {
  let count = 0n;
  for (const address of tx.signers) {
    const { publicKey } = signerAccount(ctx, ports, address);
    count += publicKey === null ? 1n : keyCount(readAgain(publicKey));
  }
  return count;
}

/** The stored key read last, which the steps of one check ask for one after the other. */
let lastRead: { readonly publicKey: PublicKey; readonly key: AccountKey } | null = null;

function readAgain(publicKey: PublicKey): AccountKey {
  if (lastRead?.publicKey !== publicKey) lastRead = { publicKey, key: readKey(publicKey) };
  return lastRead.key;
}

function keyCount(key: AccountKey): bigint {
  return key.kind === "multisig" ? key.keys.reduce((sum, one) => sum + keyCount(one), 0n) : 1n;
}

export function consumeSignatureGas(
  ctx: WriteContext,
  ports: Ports,
  params: Params,
  tx: SignedTx,
  mode: AnteMode,
): void {
  tx.signers.forEach((address, index) => {
    const { publicKey } = signerAccount(ctx, ports, address);
    if (publicKey === null && mode !== "simulate")
      throw sdkError("invalidPubKey", "pubkey on account is not set");
    const key = publicKey === null ? null : readAgain(publicKey);
    if (key?.kind === "ed25519") {
      ctx.gas.consume(Number(params.sigVerifyCostEd25519), "ante verify: ed25519");
      return;
    }
    const info = tx.signerInfos[index]?.mode ?? null;
    const count = key?.kind === "multisig" ? multisigGasKeys(key, info) : 1;
    for (let i = 0; i < count; i++)
      ctx.gas.consume(Number(params.sigVerifyCostSecp256k1), "ante verify: secp256k1");
  });
}

/** Checks sequences and signatures, then moves the sequences on. */
export function verifySignatures(
  ctx: WriteContext,
  ports: Ports,
  tx: SignedTx,
  mode: AnteMode,
): void {
  tx.signers.forEach((address, index) => {
    const account = signerAccount(ctx, ports, address);
    const sequence = tx.signerInfos[index]?.sequence ?? 0n;
    if (tx.unordered) {
      if (sequence !== 0n)
        throw sdkError("invalidRequest", "sequence is not allowed for unordered transactions");
    } else if (sequence !== account.sequence) {
      throw sdkError(
        "wrongSequence",
        `account sequence mismatch, expected ${account.sequence}, got ${sequence}`,
      );
    }
    if (mode === "check" || mode === "deliver") verifyOne(ctx, ports, { tx, index, account });
  });
  if (tx.unordered) return;
  for (const address of tx.signers) {
    const account = signerAccount(ctx, ports, address);
    ports.keeper.update(ctx, { ...account, sequence: account.sequence + 1n });
  }
}

function verifyOne(
  ctx: WriteContext,
  ports: Ports,
  one: { readonly tx: SignedTx; readonly index: number; readonly account: Account },
): void {
  const { tx, index, account } = one;
  if (account.publicKey === null) throw sdkError("invalidPubKey", "pubkey on account is not set");
  const mode = tx.signerInfos[index]?.mode ?? null;
  const key = readAgain(account.publicKey);
  const { chainId } = ctx.header;
  const signBytes = (signMode: number): Uint8Array | null => {
    if (signMode === SIGN_MODE_DIRECT) return directSignBytes(tx, chainId, account.number);
    if (signMode !== SIGN_MODE_LEGACY_AMINO_JSON) return null;
    return aminoSignBytes(tx, {
      chainId,
      accountNumber: account.number,
      sequence: account.sequence,
    });
  };
  const problem = signatureProblem(index === 0 ? proving(ports.verify, tx) : ports.verify, {
    key,
    mode,
    signature: tx.signatures[index] as Uint8Array,
    signBytes,
  });
  if (problem === null) return;
  const where = isAminoOnly(mode)
    ? `account number (${account.number}), sequence (${account.sequence}) and chain-id (${chainId})`
    : `account number (${account.number}) and chain-id (${chainId}): (${problem})`;
  throw sdkError("unauthorized", `signature verification failed; please verify ${where}`);
}

/** A transaction is checked, prepared and executed: what was found good once is not asked again. */
function proving(verify: VerifySignature, tx: SignedTx): VerifySignature {
  return (question) => {
    if (tx.proven !== null && isSameQuestion(tx.proven, question)) return true;
    const valid = verify(question);
    if (valid) tx.proven = question;
    return valid;
  };
}

/** Sign bytes and signature are compared as objects: they are remembered with the transaction, and nobody writes to them. */
function isSameQuestion(a: SignatureQuestion, b: SignatureQuestion): boolean {
  return (
    a.message === b.message &&
    a.signature === b.signature &&
    a.kind === b.kind &&
    equalBytes(a.key, b.key)
  );
}

function isAminoOnly(mode: ModeInfo | null): boolean {
  if (mode === null) return false;
  if (mode.kind === "single") return mode.mode === SIGN_MODE_LEGACY_AMINO_JSON;
  return mode.modes.every(isAminoOnly);
}

function signatureProblem(
  verify: VerifySignature,
  signed: {
    readonly key: AccountKey;
    readonly mode: ModeInfo | null;
    readonly signature: Uint8Array;
    readonly signBytes: (mode: number) => Uint8Array | null;
  },
): string | null {
  const { key, mode, signature, signBytes } = signed;
  if (mode === null) return "signer info without a mode";
  if (key.kind === "multisig") {
    return mode.kind === "multi"
      ? checkMultisig(verify, key, { mode, signature, signBytes })
      : "expected a multisignature";
  }
  if (mode.kind !== "single") return "expected a single signature";
  const message = signBytes(mode.mode);
  if (message === null) return `sign mode ${mode.mode} is not supported for this transaction`;
  const valid = verify({ kind: key.kind, key: key.bytes, message, signature });
  return valid ? null : "unable to verify single signer signature";
}

/** What the first step of verification will ask, for preparing answers; null where there is nothing simple to prepare. */
export function expectedCheck(
  account: Account | undefined,
  tx: SignedTx,
  chainId: string,
): SignatureQuestion | null {
  const [info] = tx.signerInfos;
  const [signature] = tx.signatures;
  const publicKey = account?.publicKey ?? info?.publicKey ?? null;
  if (account === undefined || publicKey === null || signature === undefined) return null;
  if (info?.mode?.kind !== "single" || info.mode.mode !== SIGN_MODE_DIRECT) return null;
  const key = publicKey === account.publicKey ? readAgain(publicKey) : keyOrNull(publicKey);
  if (key === null || key.kind === "multisig") return null;
  const message = directSignBytes(tx, chainId, account.number);
  return { kind: key.kind, key: key.bytes, message, signature };
}

/** A malformed key is refused where the transaction is run, with its code; here there is only nothing to prepare. */
function keyOrNull(key: PublicKey): AccountKey | null {
  try {
    return readKey(key);
  } catch (error) {
    if (error instanceof ModuleError) return null;
    throw error;
  }
}

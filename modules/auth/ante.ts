/**
 * The ante: everything that stands between a transaction's bytes and its messages, in the SDK's order, with its gas, events, codes and texts.
 * Its changes and events persist when a message fails later; when the ante itself refuses, the caller reverts them.
 */

import type { Addresses } from "../kit/addresses.ts";
import { moduleAddress } from "../kit/addresses.ts";
import type { BlockHeader, WriteContext } from "../kit/context.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import type { VerifySignature } from "../kit/signature.ts";
import type { MinGasPrice } from "./fees.ts";
import { checkMinimumFee, deductFee, feePayer } from "./fees.ts";
import type { AuthKeeper } from "./keeper.ts";
import type { FeeBankPort } from "./ports.ts";
import {
  consumeSignatureGas,
  countKeys,
  emitSigners,
  setPublicKeys,
  verifySignatures,
} from "./signatures.ts";
import type { AuthState } from "./state.ts";
import type { AnteMode, SignedTx } from "./tx.ts";
import type { Params } from "./types.ts";
import { keepNonces, removeExpiredNonces, restoreNonces, useNonces } from "./unordered.ts";

export interface AnteRequest {
  readonly tx: SignedTx;
  readonly mode: AnteMode;
  /** The node's own price, looked at in `check` only. */
  readonly minGasPrices: readonly MinGasPrice[];
  /** null: blocks have no gas bound. */
  readonly blockGasMax: bigint | null;
}

export interface Ante {
  run(ctx: WriteContext, request: AnteRequest): void;
  /** At the start of each block: forgets nonces of unordered transactions that can no longer come. */
  beginBlock(ctx: WriteContext): void;
  /** After the last transaction of each block: writes down the nonces it used. */
  endBlock(ctx: WriteContext): void;
  /** Makes what is not committed from what is, in a branch that was loaded from a store. */
  restore(ctx: WriteContext): void;
}

export interface AntePorts {
  readonly keeper: AuthKeeper;
  readonly state: AuthState;
  readonly addresses: Addresses;
  readonly bank: FeeBankPort;
  readonly verify: VerifySignature;
}

export const FEE_COLLECTOR = "fee_collector";

const GAS_WANTED_MAX = (1n << 63n) - 1n;
/** What the SDK adds in simulation for a signature that is not there yet: its amino form and key. */
const SIMULATED_SIGNATURE_BYTES = 112;

export function createAnte(ports: AntePorts): Ante {
  const collector = moduleAddress(FEE_COLLECTOR);

  /** What blocks since its check can have changed for a transaction: the time, balances, sequences, nonces. Leaves what later ones are checked on. */
  function recheck(ctx: WriteContext, tx: SignedTx): void {
    checkTimeout(ctx.header, tx);
    if ((tx.fee?.amount.length ?? 0) > 0) {
      const payer = feePayer(tx, ports.addresses);
      deductFee(ctx, ports, { tx, payer, collector, simulate: false });
    }
    setPublicKeys(ctx, ports, tx, "recheck");
    if (tx.unordered) useNonces(ctx, ports.state, tx);
    verifySignatures(ctx, ports, tx, "recheck");
  }

  return {
    run(ctx, request) {
      const { tx, mode } = request;
      if (mode === "recheck") return recheck(ctx, tx);
      checkShape(request);
      checkTimeout(ctx.header, tx);
      const params = ports.keeper.params(ctx);
      chargeSize(ctx, params, request);
      const payer = feePayer(tx, ports.addresses);
      if (mode === "check") checkMinimumFee(tx, request.minGasPrices);
      deductFee(ctx, ports, { tx, payer, collector, simulate: mode === "simulate" });
      setPublicKeys(ctx, ports, tx, mode);
      emitSigners(ctx, ports, tx);
      const count = countKeys(ctx, ports, tx);
      if (count > params.txSigLimit) {
        throw sdkError("tooManySignatures", `signatures: ${count}, limit: ${params.txSigLimit}`);
      }
      consumeSignatureGas(ctx, ports, params, tx, mode);
      if (tx.unordered) useNonces(ctx, ports.state, tx);
      verifySignatures(ctx, ports, tx, mode);
    },
    beginBlock: (ctx) => removeExpiredNonces(ctx, ports.state),
    endBlock: (ctx) => keepNonces(ctx, ports.state),
    restore: (ctx) => restoreNonces(ctx, ports.state),
  };
}

/** What can be said without state: extension options, gas, signatures. */
function checkShape({ tx, mode, blockGasMax }: AnteRequest): void {
  const gas = tx.fee?.gasLimit ?? 0n;
  if (blockGasMax !== null && gas > blockGasMax) {
    throw sdkError("invalidGasLimit", `tx gas limit ${gas} exceeds block max gas ${blockGasMax}`);
  }
  if (tx.extensionOptions.length > 0) throw sdkError("unknownExtensionOptions");
  if (gas > GAS_WANTED_MAX) {
    throw sdkError("invalidRequest", `invalid gas supplied; ${gas} > ${GAS_WANTED_MAX}`);
  }
  if (tx.fee === null && mode !== "simulate") {
    throw sdkError("insufficientFee", "invalid fee provided: none");
  }
  if (tx.signatures.length === 0) throw sdkError("noSignatures");
  if (tx.signatures.length !== tx.signers.length) {
    throw sdkError(
      "unauthorized",
      `wrong number of signers; expected ${tx.signers.length}, got ${tx.signatures.length}`,
    );
  }
  if (tx.signerInfos.length !== tx.signers.length) {
    throw sdkError(
      "unauthorized",
      `wrong number of signer infos; expected ${tx.signers.length}, got ${tx.signerInfos.length}`,
    );
  }
}

function checkTimeout(header: BlockHeader, tx: SignedTx): void {
  if (tx.timeoutHeight > 0n && BigInt(header.height) > tx.timeoutHeight) {
    throw sdkError(
      "txTimeoutHeight",
      `block height: ${header.height}, timeout height: ${tx.timeoutHeight}`,
    );
  }
  if (tx.timeoutTimestampNs !== null && header.timeNs > tx.timeoutTimestampNs && !tx.unordered) {
    throw sdkError(
      "txTimeout",
      `block time: ${header.timeNs} ns, timeout timestamp: ${tx.timeoutTimestampNs} ns`,
    );
  }
}

function chargeSize(ctx: WriteContext, params: Params, { tx, mode }: AnteRequest): void {
  const memoBytes = memoLength(tx.memo);
  if (memoBytes > params.maxMemoCharacters) {
    throw sdkError(
      "memoTooLarge",
      `maximum number of characters is ${params.maxMemoCharacters} but received ${memoBytes} characters`,
    );
  }
  const perByte = Number(params.txSizeCostPerByte);
  ctx.gas.consume(perByte * tx.size, "txSize");
  if (mode !== "simulate") return;
  for (const signature of tx.signatures) {
    if (signature.length === 0) ctx.gas.consume(perByte * SIMULATED_SIGNATURE_BYTES, "txSize");
  }
}

/** In UTF-8 bytes, as Go counts. */
function memoLength(memo: string): bigint {
  let bytes = 0n;
  for (const character of memo) {
    const code = character.codePointAt(0) as number;
    bytes += code < 0x80 ? 1n : code < 0x800 ? 2n : code < 0x10000 ? 3n : 4n;
  }
  return bytes;
}

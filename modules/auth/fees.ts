/** Fees: who pays, whether it is enough for this node, and the payment into the fee collector. */
import type { Addresses } from "../kit/addresses.ts";
import type { WriteContext } from "../kit/context.ts";
import { ModuleError } from "../kit/errors.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import type { AuthKeeper } from "./keeper.ts";
import type { FeeBankPort, FeeCoinAmount } from "./ports.ts";
import type { FeeCoin, SignedTx } from "./tx.ts";

export interface MinGasPrice {
  readonly denom: string;
  /** Units of the denom per gas, times 10^18. */
  readonly attoPerGas: bigint;
}

const ATTO = 10n ** 18n;
const DENOM = /^[a-zA-Z][a-zA-Z0-9/:._-]{2,127}$/;
const DIGITS = /^[1-9][0-9]{0,77}$/;
const AMOUNT_LIMIT = 1n << 256n;

const formatFee = (coins: readonly { denom: string; amount: string | bigint }[]): string =>
  coins.map((coin) => `${coin.amount}${coin.denom}`).join(",");

/** The stated payer, who must then sign too; else the first signer. */
export function feePayer(tx: SignedTx, addresses: Addresses): Uint8Array {
  const stated = tx.fee?.payer ?? "";
  const payer = stated === "" ? tx.signers[0] : addresses.parse(stated);
  if (payer === undefined) throw sdkError("noSignatures");
  return payer;
}

function parseFee(coins: readonly FeeCoin[]): FeeCoinAmount[] {
  let last = "";
  return coins.map(({ denom, amount }) => {
    const value = DIGITS.test(amount) ? BigInt(amount) : 0n;
    if (!DENOM.test(denom) || value === 0n || value >= AMOUNT_LIMIT || denom <= last) {
      throw sdkError("insufficientFee", `invalid fee amount: ${formatFee(coins)}`);
    }
    last = denom;
    return { denom, amount: value };
  });
}

/** One acceptable denom that covers ceil(price × gas) is enough. */
export function checkMinimumFee(tx: SignedTx, prices: readonly MinGasPrice[]): void {
  const gas = tx.fee?.gasLimit ?? 0n;
  const required = prices
    .filter((price) => price.attoPerGas > 0n)
    .map(({ denom, attoPerGas }) => ({ denom, amount: (attoPerGas * gas + ATTO - 1n) / ATTO }));
  if (required.length === 0) return;
  const given = parseFee(tx.fee?.amount ?? []);
  const enough = required.some(({ denom, amount }) =>
    given.some((coin) => coin.denom === denom && coin.amount >= amount),
  );
  if (!enough) {
    throw sdkError(
      "insufficientFee",
      `insufficient fees; got: ${formatFee(given)} required: ${formatFee(required)}`,
    );
  }
}

export function deductFee(
  ctx: WriteContext,
  ports: {
    readonly keeper: AuthKeeper;
    readonly bank: FeeBankPort;
    readonly addresses: Addresses;
  },
  request: {
    readonly tx: SignedTx;
    readonly payer: Uint8Array;
    readonly collector: Uint8Array;
    readonly simulate: boolean;
  },
): void {
  const { tx, payer, collector, simulate } = request;
  const payerText = ports.addresses.format(payer);
  if (!simulate && (tx.fee?.gasLimit ?? 0n) === 0n) {
    throw sdkError("invalidGasLimit", "must provide positive gas");
  }
  const granter = tx.fee?.granter ?? "";
  if (granter !== "" && granter !== payerText) {
    throw sdkError("invalidRequest", "fee grants are not enabled");
  }
  if (ports.keeper.account(ctx, payer) === undefined) {
    throw sdkError("unknownAddress", `fee payer address: ${payerText} does not exist`);
  }
  const coins = parseFee(tx.fee?.amount ?? []);
  if (coins.length > 0) {
    try {
      ports.bank.send(ctx, payer, collector, coins);
    } catch (error) {
      if (!(error instanceof ModuleError)) throw error;
      throw sdkError("insufficientFunds", error.message);
    }
  }
  ctx.emit("tx", { fee: formatFee(coins), fee_payer: payerText });
}

/**
 * Weighted random operations for simulation: messages as holders of the vault would send them, mostly sensible, some wrong on purpose. Everything
 * comes from the given generator and state, so one seed gives one history.
 */
import type { Addresses } from "../kit/addresses.ts";
import type { ReadContext } from "../kit/context.ts";
import { mulDivDown } from "../kit/math/mul-div.ts";
import { NO_HOLDER } from "./records.ts";
import type { VaultState } from "./state.ts";

export interface SimulationRandom {
  /** A whole number from 0 to below. */
  below(bound: number): number;
}

export interface SimulatedVaultMessage {
  readonly typeUrl: string;
  readonly value: object;
}

interface Subject {
  readonly state: VaultState;
  readonly addresses: Addresses;
  readonly denom: string;
}

export interface VaultOperation {
  readonly name: string;
  /** How often, relative to the others. */
  readonly weight: number;
  /** null: nothing to do for this sender. */
  create(
    ctx: ReadContext,
    random: SimulationRandom,
    sender: string,
    subject: Subject,
  ): SimulatedVaultMessage | null;
}

const TYPE = "/keel.vault.v1.";
const UNIT = 1_000_000n;

function deposit(
  name: string,
  weight: number,
  change: (random: SimulationRandom) => object,
): VaultOperation {
  return {
    name,
    weight,
    create: (_ctx, random, sender, { denom }) => ({
      typeUrl: `${TYPE}MsgDepositToVault`,
      value: {
        sender,
        denom,
        amount: (BigInt(100 + random.below(2_000)) * UNIT).toString(),
        sharesMin: "",
        ...change(random),
      },
    }),
  };
}

function request(name: string, weight: number, percent: (random: SimulationRandom) => number) {
  const operation: VaultOperation = {
    name,
    weight,
    create(ctx, random, sender, { addresses, state }) {
      const { shares } = state.holders.get(ctx, addresses.parse(sender)) ?? NO_HOLDER;
      const given = mulDivDown(shares, BigInt(percent(random)), 100n);
      if (given === 0n) return null;
      const value = { sender, shares: given.toString() };
      return { typeUrl: `${TYPE}MsgRequestWithdrawal`, value };
    },
  };
  return operation;
}

export const vaultOperations: readonly VaultOperation[] = [
  deposit("deposit", 10, () => ({})),
  deposit("deposit of dust", 1, () => ({ amount: "1" })),
  deposit("deposit in another coin", 1, () => ({ denom: "ukeel" })),
  deposit("deposit for too many shares", 1, () => ({ sharesMin: (10n ** 30n).toString() })),
  request("withdrawal", 6, (random) => 1 + random.below(60)),
  request("withdrawal of all", 2, () => 100),
  request("withdrawal of more", 1, (random) => 101 + random.below(100)),
  {
    name: "cancelled withdrawal",
    weight: 3,
    create(ctx, random, sender, { state }) {
      const { nextWithdrawal } = state.totals.require(ctx);
      const back = BigInt(1 + random.below(6));
      if (nextWithdrawal <= back) return null;
      return {
        typeUrl: `${TYPE}MsgCancelWithdrawal`,
        value: { sender, id: nextWithdrawal - back },
      };
    },
  },
];

const WEIGHT_TOTAL = vaultOperations.reduce((sum, { weight }) => sum + weight, 0);

/** One random message of one of the senders, or null when it has nothing to do. */
export function simulateVaultMessage(
  ctx: ReadContext,
  random: SimulationRandom,
  senders: readonly string[],
  subject: Subject,
): { readonly operation: string; readonly message: SimulatedVaultMessage } | null {
  const sender = senders[random.below(senders.length)];
  if (sender === undefined) return null;
  let dice = random.below(WEIGHT_TOTAL);
  for (const operation of vaultOperations) {
    dice -= operation.weight;
    if (dice >= 0) continue;
    const message = operation.create(ctx, random, sender, subject);
    return message === null ? null : { operation: operation.name, message };
  }
  return null;
}

/** What holders of the liquidity vault do. */
import { vaultOperations as moduleOperations } from "@keel/modules/vault/simulate";
import {
  QueryWithdrawalsRequest,
  QueryWithdrawalsResponse,
} from "@keel/proto/gen/keel/vault/v1/query";
import { MsgCancelWithdrawal, MsgRequestWithdrawal } from "@keel/proto/gen/keel/vault/v1/tx";
import { DENOM } from "./genesis.ts";
import { ask, one, type SimulationOperation } from "./operation.ts";

const VAULT = "/keel.vault.v1.";
/** The first shares are given at so many for a unit. */
const SHARES_PER_UNIT = 10n ** 12n;

/** The module's own deposits ask nothing of its state. */
function deposit(name: string, weight: number, wrong: boolean): SimulationOperation {
  const operation = moduleOperations.find((own) => own.name === name);
  if (operation === undefined) throw new Error(`the vault simulates no "${name}"`);
  return {
    name: `vault: ${name}`,
    weight,
    wrong,
    create({ ctx, random, account, keel }) {
      const subject = { addresses: keel.addresses, denom: DENOM, state: undefined as never };
      const message = operation.create(ctx, random, account.owner, subject);
      return message === null ? null : { messages: [message] };
    },
  };
}

export const vaultOperations: readonly SimulationOperation[] = [
  deposit("deposit", 6, false),
  deposit("deposit of dust", 1, true),
  deposit("deposit in another coin", 1, true),
  deposit("deposit for too many shares", 1, true),
  {
    name: "vault: withdrawal",
    weight: 8,
    create({ random, account }) {
      const shares = `${BigInt(1 + random.below(300)) * SHARES_PER_UNIT}`;
      const value = MsgRequestWithdrawal.fromPartial({ sender: account.owner, shares });
      return one(`${VAULT}MsgRequestWithdrawal`, value);
    },
  },
  {
    name: "vault: cancelled withdrawal",
    weight: 6,
    create(at) {
      const { random, agents } = at;
      const codecs = [QueryWithdrawalsRequest, QueryWithdrawalsResponse] as const;
      const all = QueryWithdrawalsRequest.fromPartial({});
      const { withdrawals } = ask(at, `${VAULT}Query/Withdrawals`, codecs, all);
      const found = withdrawals[random.below(Math.max(1, withdrawals.length))];
      // Whose it is, and now and then somebody else.
      const sender = random.below(4) === 0 ? agents[0]?.account.address : found?.owner;
      if (found === undefined || sender === undefined) return null;
      const value = MsgCancelWithdrawal.fromPartial({ sender, id: found.id });
      return one(`${VAULT}MsgCancelWithdrawal`, value);
    },
  },
];

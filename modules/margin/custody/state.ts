/** What custody keeps: withdrawal policies and proposals (13), top-up rules (14), solvency by market (15). Nothing of it is there until someone turns it on. */
import {
  CustodySpent,
  LossShares,
  MarketSolvency,
  Proposal,
  TopUpRule,
  TopUpSpent,
  WithdrawalPolicy,
} from "@keel/proto/gen/keel/margin/v1/custody";
import { type AccountId, accountIdKey } from "../../kit/account-id.ts";
import {
  heightKey,
  markerValue,
  pairKey,
  protoValue,
  tripleKey,
  u32Key,
  u64Key,
  u64Value,
} from "../../kit/collections/codecs.ts";
import type { ItemCollection, MapCollection, Schema } from "../../kit/collections/schema.ts";
import type { MarketId } from "../ports.ts";

export type ProposalKey = readonly [account: AccountId, id: bigint];
export type ExitKey = readonly [account: AccountId, market: MarketId];

export interface CustodyState {
  readonly policies: MapCollection<AccountId, WithdrawalPolicy>;
  readonly proposals: MapCollection<ProposalKey, Proposal>;
  /** (expiry ms, account, id), of every proposal. */
  readonly expiries: MapCollection<readonly [number, AccountId, bigint], true>;
  /** Of accounts under a policy. */
  readonly spent: MapCollection<AccountId, CustodySpent>;
  /** The last id given. Never given twice, so an approval can never meet another proposal than the one it was signed for. */
  readonly lastProposal: ItemCollection<bigint>;
  readonly topUps: MapCollection<AccountId, TopUpRule>;
  readonly toppedUp: MapCollection<AccountId, TopUpSpent>;
  readonly solvency: MapCollection<MarketId, MarketSolvency>;
  /** Of accounts in the deficit queue; of others only inside a block. */
  readonly losses: MapCollection<AccountId, LossShares>;
  /** Accounts that left a market while it was gated. */
  readonly exits: MapCollection<ExitKey, true>;
}

export function custodyState(schema: Schema): CustodyState {
  const prefix = (major: number, minor: number): Uint8Array => Uint8Array.of(major, minor);
  return {
    policies: schema.map(prefix(0x13, 0), "policies", accountIdKey, protoValue(WithdrawalPolicy)),
    proposals: schema.map(
      prefix(0x13, 1),
      "proposals",
      pairKey(accountIdKey, u64Key),
      protoValue(Proposal),
    ),
    expiries: schema.map(
      prefix(0x13, 2),
      "proposal_expiries",
      tripleKey(heightKey, accountIdKey, u64Key),
      markerValue,
    ),
    spent: schema.map(prefix(0x13, 3), "custody_spent", accountIdKey, protoValue(CustodySpent)),
    lastProposal: schema.item(prefix(0x13, 4), "last_proposal", u64Value),
    topUps: schema.map(prefix(0x14, 0), "top_ups", accountIdKey, protoValue(TopUpRule)),
    toppedUp: schema.map(prefix(0x14, 1), "topped_up", accountIdKey, protoValue(TopUpSpent)),
    solvency: schema.map(prefix(0x15, 0), "solvency", u32Key, protoValue(MarketSolvency)),
    losses: schema.map(prefix(0x15, 1), "losses", accountIdKey, protoValue(LossShares)),
    exits: schema.map(prefix(0x15, 2), "exits", pairKey(accountIdKey, u32Key), markerValue),
  };
}

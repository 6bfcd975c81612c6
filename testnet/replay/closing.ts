/** Reads the closing books, all at one height, through the client's queries. */
import type { KeelClient } from "@keel/client/keel-client";
import type { Method } from "@keel/client/method";
import { methods } from "@keel/client/queries";
import {
  QueryBalanceRequest,
  QueryBalanceResponse,
  QuerySupplyOfRequest,
  QuerySupplyOfResponse,
} from "cosmjs-types/cosmos/bank/v1beta1/query";
import type { ClosingBooks } from "./checks.ts";

const balanceOf: Method<QueryBalanceRequest, QueryBalanceResponse> = {
  path: "/cosmos.bank.v1beta1.Query/Balance",
  request: QueryBalanceRequest,
  answer: QueryBalanceResponse,
};
const supplyOf: Method<QuerySupplyOfRequest, QuerySupplyOfResponse> = {
  path: "/cosmos.bank.v1beta1.Query/SupplyOf",
  request: QuerySupplyOfRequest,
  answer: QuerySupplyOfResponse,
};

const POSITIONS_PAGE = 1000;

/** `owners`: everyone who can hold coins or collateral. */
export async function readBooks(
  chain: KeelClient,
  owners: readonly string[],
  height: number,
): Promise<ClosingBooks> {
  const denom = await chain.settlementDenom();
  const accounts: { collateral: bigint; equity: bigint }[] = [];
  let wallets = 0n;
  for (const owner of owners) {
    const held = await chain.ask(methods.accounts, { owner }, height);
    for (const { collateral, equity } of held.accounts)
      accounts.push({ collateral: BigInt(collateral), equity: BigInt(equity) });
    const { balance } = await chain.ask(balanceOf, { address: owner, denom }, height);
    wallets += BigInt(balance?.amount ?? "0");
  }
  const { totals, vault, insurance } = await chain.ask(methods.totals, {}, height);
  const supply = await readSupply(chain, height);
  if (totals === undefined) throw new Error("expected the totals of margin");
  return {
    height,
    accounts,
    positions: await readPositions(chain, height),
    totals: {
      collateral: BigInt(totals.collateral),
      feesHeld: BigInt(totals.feesHeld),
      pendingShortfall: BigInt(totals.pendingShortfall),
    },
    insurance: BigInt(insurance),
    vault: BigInt(vault),
    supply,
    wallets,
  };
}

/** Coins of the settlement asset that exist. */
export async function readSupply(chain: KeelClient, height?: number): Promise<bigint> {
  const denom = await chain.settlementDenom();
  const { amount } = await chain.ask(supplyOf, { denom }, height);
  return BigInt(amount?.amount ?? "0");
}

async function readPositions(
  chain: KeelClient,
  height: number,
): Promise<{ market: string; lots: bigint }[]> {
  const found: { market: string; lots: bigint }[] = [];
  let after: Uint8Array = new Uint8Array(0);
  do {
    const query = { market: "", limit: POSITIONS_PAGE, after };
    const { positions, next } = await chain.ask(methods.positions, query, height);
    for (const { position } of positions)
      if (position !== undefined)
        found.push({ market: position.market, lots: BigInt(position.lots) });
    after = next;
  } while (after.length > 0);
  return found;
}

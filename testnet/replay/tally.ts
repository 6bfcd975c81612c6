/** What the blocks of a replay say happened, read from their events alone. */
import type { BlockResults } from "../network/rpc.ts";

export interface WorstAccount {
  readonly account: string;
  /** Quanta; negative is below zero. */
  readonly equity: bigint;
  readonly height: number;
}

/** Money in quanta. Mutable: blocks are added as they come. */
export interface Tally {
  blocks: number;
  txs: number;
  failedTxs: number;
  trades: number;
  /** Accounts whose own order traded against the book: each held a position then. */
  readonly takers: Set<string>;
  liquidations: number;
  liquidatedNotional: bigint;
  /** Of these, what bidders took in auctions. */
  bidFills: number;
  bidNotional: bigint;
  readonly liquidatedAccounts: Set<string>;
  /** Positions or parts of them that the vault took over. */
  takeovers: number;
  takenOverNotional: bigint;
  deleverages: number;
  deleveragedNotional: bigint;
  /** What the other side lost by it: nothing where the fund had paid, so that it was closed at mark. */
  deleveragedLoss: bigint;
  deficitsCovered: number;
  deficitsPaid: bigint;
  insuranceReceived: bigint;
  insurancePaid: bigint;
  insuranceFunded: bigint;
  deposited: bigint;
  withdrawn: bigint;
  feesCollected: bigint;
  /** Highest sum of the deficit queue. */
  shortfallMax: bigint;
  /** Markets stopped, invariants broken: none of it may happen. */
  readonly alarms: string[];
  worst: WorstAccount | null;
}

export function emptyTally(): Tally {
  return {
    blocks: 0,
    txs: 0,
    failedTxs: 0,
    trades: 0,
    takers: new Set(),
    liquidations: 0,
    liquidatedNotional: 0n,
    bidFills: 0,
    bidNotional: 0n,
    liquidatedAccounts: new Set(),
    takeovers: 0,
    takenOverNotional: 0n,
    deleverages: 0,
    deleveragedNotional: 0n,
    deleveragedLoss: 0n,
    deficitsCovered: 0,
    deficitsPaid: 0n,
    insuranceReceived: 0n,
    insurancePaid: 0n,
    insuranceFunded: 0n,
    deposited: 0n,
    withdrawn: 0n,
    feesCollected: 0n,
    shortfallMax: 0n,
    alarms: [],
    worst: null,
  };
}

export function addBlock(tally: Tally, block: BlockResults): void {
  tally.blocks += 1;
  // The first transaction is the block's own price update.
  const codes = block.codes.slice(1);
  tally.txs += codes.length;
  tally.failedTxs += codes.filter((code) => code !== 0).length;
  for (const event of block.events) addEvent(tally, block.height, event.type, event.attributes);
}

function addEvent(
  tally: Tally,
  height: number,
  type: string,
  attributes: Readonly<Record<string, string>>,
): void {
  const money = (name: string): bigint => {
    const text = attributes[name] ?? "";
    if (!/^-?[0-9]+$/.test(text))
      throw new Error(
        `block ${height}: event ${type}: expected an amount as ${name}, got "${text}"`,
      );
    return BigInt(text);
  };
  const account = attributes["account"] ?? "";
  switch (type) {
    case "trade":
      tally.trades += 1;
      if (attributes["liquidation"] !== "true") tally.takers.add(attributes["taker"] ?? "");
      return;
    case "liquidation":
      // What the other side took is counted where it is deleveraged.
      if (attributes["source"] !== "other_side") {
        tally.liquidations += 1;
        tally.liquidatedNotional += money("notional");
      }
      if (attributes["source"] === "auction") {
        tally.bidFills += 1;
        tally.bidNotional += money("notional");
      }
      tally.liquidatedAccounts.add(account);
      noteEquity(tally, account, money("equity_before"), height);
      noteEquity(tally, account, money("equity_after"), height);
      return;
    case "backstop_takeover":
      tally.takeovers += 1;
      tally.takenOverNotional += money("notional");
      tally.liquidatedAccounts.add(account);
      return;
    case "deleverage":
      tally.deleverages += 1;
      tally.deleveragedNotional += money("notional");
      // Nobody else has taken it: liquidated, whether or not the book took a part of it.
      tally.liquidatedAccounts.add(account);
      return;
    case "deleverage_round":
      // Who was only under water pays the other side for taking it.
      if (attributes["reason"] !== "unfilled") tally.deleveragedLoss += money("loss");
      return;
    case "deficit_covered":
      tally.deficitsCovered += 1;
      tally.deficitsPaid += money("amount");
      noteEquity(tally, account, -money("amount"), height);
      return;
    case "deficit":
      tally.shortfallMax = larger(tally.shortfallMax, money("pending_shortfall"));
      noteEquity(tally, account, -money("shortfall"), height);
      return;
    case "insurance_received":
      tally.insuranceReceived += money("amount");
      return;
    case "insurance_paid":
      tally.insurancePaid += money("amount");
      return;
    case "insurance_funded":
      tally.insuranceFunded += money("amount");
      return;
    case "deposit":
    case "vault_deposit":
      tally.deposited += money("amount");
      return;
    case "withdraw":
    case "vault_withdrawn":
      tally.withdrawn += money("amount");
      return;
    case "fees_collected":
      tally.feesCollected += money("amount");
      return;
    case "market_quarantined":
    case "invariant_broken":
      tally.alarms.push(`block ${height}: ${type} ${JSON.stringify(attributes)}`);
  }
}

function noteEquity(tally: Tally, account: string, equity: bigint, height: number): void {
  if (tally.worst === null || equity < tally.worst.equity)
    tally.worst = { account, equity, height };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

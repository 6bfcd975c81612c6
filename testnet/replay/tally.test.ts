import { expect, it } from "vitest";
import { addBlock, emptyTally } from "./tally.ts";

const event = (type: string, attributes: Record<string, string>) => ({ type, attributes });

it("adds up what the events of blocks say", () => {
  const tally = emptyTally();
  addBlock(tally, {
    height: 7,
    appHash: "",
    codes: [0, 0, 5],
    events: [
      event("deposit", { account: "a/0", amount: "100" }),
      event("vault_deposit", { depositor: "v", amount: "40" }),
      event("trade", { maker: "m/0", taker: "a/0", liquidation: "false" }),
      event("trade", { maker: "m/0", taker: "b/0", liquidation: "true" }),
      event("liquidation", {
        account: "a/0",
        notional: "900",
        equity_before: "10",
        equity_after: "-4",
      }),
      event("liquidation", {
        account: "a/0",
        notional: "70",
        equity_before: "9",
        equity_after: "8",
        source: "auction",
      }),
      event("backstop_takeover", { account: "d/0", notional: "30" }),
      event("deficit_covered", { account: "a/0", amount: "4" }),
      event("insurance_paid", { amount: "4" }),
      event("insurance_received", { amount: "9" }),
      event("deleverage", { account: "b/0", counterparty: "c/0", notional: "50" }),
      event("deleverage_round", { account: "b/0", loss: "6" }),
      event("deficit", { account: "b/0", shortfall: "3", pending_shortfall: "3" }),
      event("market_quarantined", { market: "X" }),
    ],
  });
  expect(tally).toMatchObject({
    blocks: 1,
    txs: 2,
    failedTxs: 1,
    trades: 2,
    liquidations: 2,
    liquidatedNotional: 970n,
    bidFills: 1,
    bidNotional: 70n,
    takeovers: 1,
    takenOverNotional: 30n,
    deleveragedNotional: 50n,
    deleveragedLoss: 6n,
    deficitsCovered: 1,
    insurancePaid: 4n,
    insuranceReceived: 9n,
    deposited: 140n,
    shortfallMax: 3n,
    worst: { account: "a/0", equity: -4n, height: 7 },
  });
  expect([...tally.liquidatedAccounts]).toEqual(["a/0", "d/0", "b/0"]);
  expect([...tally.takers]).toEqual(["a/0"]);
  expect(tally.alarms).toHaveLength(1);
});

it("refuses an event whose amount is not one", () => {
  const block = {
    height: 1,
    appHash: "",
    codes: [0],
    events: [event("deposit", { amount: "1.5" })],
  };
  expect(() => addBlock(emptyTally(), block)).toThrow(
    'block 1: event deposit: expected an amount as amount, got "1.5"',
  );
});

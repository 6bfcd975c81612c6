import type { Event } from "@keel/consensus/wire/abci";
import { describe, expect, it } from "vitest";
import { lossFault } from "./losses.ts";

function event(type: string, values: Readonly<Record<string, string>>): Event {
  const attributes = Object.entries(values).map(([key, value]) => ({ key, value, index: true }));
  return { type, attributes };
}

const LOSS = {
  account: "a/0",
  cause: "liquidation",
  amount: "100",
  classes: "=40,btc=60",
  lines:
    "defaulter=-100,treasury:btc=10,fund:btc=20,fund:=15,assessment:sol=5,deleveraging=30,queue=20",
};

/** A block in which everybody paid what the ledger says. */
function block(change: Partial<typeof LOSS> = {}, without = ""): Event[] {
  const paid = (riskClass: string, amount: string): Event =>
    event("insurance_paid", { risk_class: riskClass, amount });
  const all = [
    paid("btc", "30"),
    paid("", "15"),
    paid("sol", "5"),
    event("deficit_covered", { account: "a/0", amount: "50" }),
    event("deleverage_round", { account: "a/0", loss: "30" }),
    event("loss", { ...LOSS, ...change }),
  ];
  return all.filter(({ type }) => type !== without);
}

describe("losses as events tell them", () => {
  it("are whole when the lines sum to zero, in order, and are what was moved", () => {
    expect(lossFault(block())).toBeNull();
    expect(lossFault([])).toBeNull();
  });

  it.each([
    ["a line too little", { lines: LOSS.lines.replace("queue=20", "queue=19") }, "sum to -1"],
    ["another amount", { amount: "99" }, "its ledger 100"],
    ["classes that do not sum to it", { classes: "=40,btc=61" }, "its classes 101"],
    [
      "the shared fund before that of the class",
      {
        lines: "defaulter=-100,fund:=15,fund:btc=30,assessment:sol=5,deleveraging=30,queue=20",
      },
      "pays after shared fund",
    ],
    [
      "an assessment before the shared fund",
      { lines: "defaulter=-100,fund:btc=30,assessment:sol=5,fund:=15,deleveraging=30,queue=20" },
      "pays after assessment",
    ],
    [
      "the other side before the funds",
      { lines: "defaulter=-100,deleveraging=30,fund:btc=30,fund:=15,assessment:sol=5,queue=20" },
      "pays after deleveraging",
    ],
    [
      "a fund that paid less",
      { lines: LOSS.lines.replace("fund:btc=20", "fund:btc=25").replace("queue=20", "queue=15") },
      "55 in the ledgers, 50 were moved",
    ],
  ])("are not with %s", (_name, change, fault) => {
    expect(lossFault(block(change))).toContain(fault);
  });

  it.each(["loss", "insurance_paid", "deficit_covered", "deleverage_round"])(
    "are not without %s",
    (type) => {
      expect(lossFault(block({}, type))).toMatch(/in the ledgers, .* were moved/);
    },
  );

  it("are not where more was kept of a gain than may be, or than a ledger names", () => {
    const kept = (quanta: string): Event[] => [
      event("gains_haircut", { account: "b/0", gain: "1000", kept: quanta, cap_ppm: "100000" }),
      event("loss", {
        ...{ account: "a/0", cause: "queue", amount: "100", classes: "=100" },
        lines: "queue=-100,haircut=100",
      }),
    ];
    expect(lossFault(kept("100"))).toBeNull();
    expect(lossFault(kept("111"))).toContain("more than 100000 ppm");
    expect(lossFault(kept("90"))).toBe("kept of gains: 100 in the ledgers, 90 were moved");
  });

  it("name nobody who does not exist", () => {
    const lines = "defaulter=-100,angel=100";
    expect(() => lossFault(block({ lines }))).toThrow('nobody is called "angel"');
    const assessed = LOSS.lines.replace("assessment:sol", "assessment:btc");
    expect(() => lossFault(block({ lines: assessed }))).toThrow("its own class");
  });
});

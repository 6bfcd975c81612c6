/** The brakes on the wired chain: what an outage and a broken ledger do, and how people take the brakes off again. */
import { COLLATERAL_VAULT } from "@keel/modules/margin/state";
import { MsgUpdateMarket } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { MarketStatus } from "@keel/proto/gen/keel/derivatives/v1/types";
import { MsgLoosen } from "@keel/proto/gen/keel/guard/v1/tx";
import { MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import { describe, expect, it } from "vitest";
import { TestChain } from "./testing/chain.ts";
import { executorBench } from "./testing/executor-bench.ts";
import { depositMessage, openMarket, orderMessage, priceTx } from "./testing/market-load.ts";
import type { TestSigner } from "./testing/signer.ts";

const withdraw = (owner: TestSigner, amount: string) => ({
  typeUrl: "/keel.margin.v1.MsgWithdraw",
  value: MsgWithdraw.encode(
    MsgWithdraw.fromPartial({ sender: owner.address, denom: "uusdc", amount }),
  ).finish(),
});

/** Genesis of the test chain under the authority of its first account. */
function governed(): Record<string, unknown> {
  const plain = new TestChain();
  const state = plain.appState();
  const authority = plain.account(0).address;
  const under = (name: string, extra: object = {}): object => {
    const given = state[name] as { readonly params: object };
    return { ...given, ...extra, params: { ...given.params, authority } };
  };
  return {
    margin: under("margin"),
    derivatives: under("derivatives"),
    guard: under("guard"),
    oracle: under("oracle", {
      prices: [
        {
          feed_id: 1,
          mantissa: "6500000",
          confidence: "1",
          ema_mantissa: "6500000",
          reporting_power_ppm: "1000000",
          height: "1",
          time_ns: plain.timeNs(1).toString(),
        },
      ],
    }),
  };
}

describe("fault 36: a post-outage gate", () => {
  it("is cancel-only until the oracle is fresh and the blocks have passed, and holds withdrawals longer", async () => {
    const outage = { gap_ms: "60000", blocks: 2, withdrawal_blocks: 4 };
    // A second apart, and ten minutes between heights 4 and 5.
    const clock = (height: number): bigint =>
      1_700_000_000_000_000_000n + BigInt(height + (height > 4 ? 600 : 0)) * 1_000_000_000n;
    const appState = { guard: { params: { outage } } };
    const chain = new TestChain({ extensionsFrom: 1, appState, clock });
    await openMarket(chain, "300000000");
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const block = async (...txs: Uint8Array[]): Promise<string[]> => {
      const { txResults } = await chain.decide([priceTx(chain), ...txs]);
      return txResults.slice(1).map(({ code, codespace }) => `${codespace} ${code}`);
    };
    const order = (owner: TestSigner) =>
      owner.sign([orderMessage(owner, { side: "buy", price: "65000", size: "0.001" })]);
    const leave = (owner: TestSigner) => owner.sign([withdraw(owner, "1")]);
    while (chain.height < 4) expect(await block()).toEqual([]);
    expect(await block(order(alice), leave(bob))).toEqual(["derivatives 5", "guard 8"]);
    const explained = chain.app.explain(chain.decided());
    if (typeof explained === "string") throw new Error(explained);
    const why = explained.find(({ event }) => event.type === "guard_outage")?.explanation;
    expect(why?.results[0]).toEqual({ name: "gap", value: "601000", unit: "ms" });
    expect(await block(order(alice), leave(bob))).toEqual(["derivatives 5", "guard 8"]);
    expect(await block(order(alice), leave(bob))).toEqual([" 0", "guard 8"]);
    expect(await block(leave(bob))).toEqual(["guard 8"]);
    expect(await block(leave(bob))).toEqual([" 0"]);
    expect(chain.faults).toEqual([]);
  });
});

describe("fault 37: the brake", () => {
  it("holds when an invariant is broken, and comes off when the authority says so", () => {
    const bench = executorBench(
      (keel) => ({
        endBlock: [
          ...keel.endBlock,
          {
            name: "thief",
            version: 1,
            messages: [],
            queries: [],
            genesis: { kind: "json", init: () => undefined, export: () => null },
            invariants: { running: {}, full: {} },
            endBlock(ctx) {
              if (ctx.header.height !== 2) return;
              keel.bank.transfer(ctx, COLLATERAL_VAULT, new Uint8Array(20).fill(3), "uusdc", 1n);
            },
          },
        ],
      }),
      { appState: governed() },
    );
    const { chain, context, faults, keel, run } = bench;
    const [authority, bob] = [chain.account(0), chain.account(1)];
    const results = (...txs: Uint8Array[]): string[] =>
      run(txs).txResults.map(({ code, codespace, log }) => `${codespace} ${code}${log}`);
    const order = () =>
      bob.sign([orderMessage(bob, { side: "buy", price: "65000", size: "0.001" })]);
    const leave = () => bob.sign([withdraw(bob, "7")]);

    expect(results(bob.sign([depositMessage(bob, "300000000")]))).toEqual([" 0"]);
    // The second block ends with a coin missing: what its end did is undone, and everything stops.
    const broken = run([order()]);
    expect(broken.events.map(({ type }) => type)).toContain("invariant_broken");
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(/^invariant margin\/vault-backed: /);
    expect(keel.derivatives.terms(context(), 1)?.status).toBe("quarantined");
    const [refused, kept] = results(order(), leave());
    expect(refused).toContain("derivatives 5");
    expect(kept).toContain("margin 10");
    expect(kept).toContain("invariant margin/vault-backed is broken");

    const reopen = {
      typeUrl: "/keel.derivatives.v1.MsgUpdateMarket",
      value: MsgUpdateMarket.encode(
        MsgUpdateMarket.fromPartial({
          authority: authority.address,
          market: "BTC-PERP",
          status: MarketStatus.MARKET_STATUS_ACTIVE,
        }),
      ).finish(),
    };
    const loosen = (sender: TestSigner) => ({
      typeUrl: "/keel.guard.v1.MsgLoosen",
      value: MsgLoosen.encode(
        MsgLoosen.fromPartial({ authority: sender.address, openWithdrawals: true }),
      ).finish(),
    });
    expect(results(bob.sign([loosen(bob)]))[0]).toContain("guard 3");
    expect(results(authority.sign([reopen, loosen(authority)]))).toEqual([" 0"]);
    expect(results(order(), leave())).toEqual([" 0", " 0"]);
    expect(faults).toHaveLength(1);
    expect(keel.derivatives.terms(context(), 1)?.status).toBe("active");
  });
});

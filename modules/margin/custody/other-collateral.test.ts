/** Collateral beside the settlement asset under a withdrawal policy. */
import { MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import { expect, it } from "vitest";
import { COIN, give, WBTC, wbtc } from "../collateral-assets/testing/assets.ts";
import { type CustodyWorld, custodyWorld, UNIT } from "./testing.ts";

const OWNER = 1;
const [K1, K2, K3] = [11, 12, 13];

it("leaves by approval, and what is restricted to listed holders alone", () => {
  const world = custodyWorld();
  world.fund(OWNER, 0, 1_000n * UNIT);
  world.setPolicy();
  const { ctx, margin } = world;
  const key = (number: number): string => world.text(number);
  const assets = margin.keeper.assets;
  const listed = (number: number) =>
    assets.allow(ctx, world.text(50), {
      denom: WBTC,
      holder: world.owner(number),
      allowed: true,
    });
  const restriction = {
    ...{ issuer: world.text(50), attestor: world.text(51) },
    ...{ attestationMaxAgeMs: 86_400_000n, fadeMs: 100_000n },
  };
  assets.set(ctx, WBTC, wbtc({ feedId: 0, restriction }));
  assets.attest(ctx, world.text(51), WBTC, 50_000n * 10n ** 18n);
  listed(OWNER);
  give({ ...world, fund: world.insurance }, OWNER, COIN);
  const out = (to: string) => ({ withdraw: { recipient: to, denom: WBTC, amount: "1000" } });
  const ask = (action: Parameters<CustodyWorld["propose"]>[1]): string =>
    world.outcome(() => {
      const id = world.propose(K1, action);
      world.approve(K2, id);
      world.execute(K1, id);
    });
  const mine = { sender: world.text(OWNER), denom: WBTC, amount: "1000" };
  expect(world.outcome(() => world.send("MsgWithdraw", MsgWithdraw.fromPartial(mine)))).toBe(
    "policyRequired",
  );
  expect(ask(out(key(K3)))).toBe("holderNotAllowed");
  listed(K3);
  expect(ask(out(key(K3)))).toBe("accepted");
  expect(world.bank.balance(ctx, world.owner(K3), WBTC)).toBe(1_000n);
  expect(world.bank.balance(ctx, world.owner(OWNER), WBTC)).toBe(0n);
  expect(ask({ transfer: { toSubaccount: 4, denom: WBTC, amount: "500" } })).toBe("accepted");
  expect(assets.require(ctx, WBTC).held).toBe(`${COIN - 1_000n}`);
  expect(margin.keeper.account(ctx, world.sub(OWNER, 4))?.assets).toEqual([
    { denom: WBTC, units: 500n },
  ]);
});

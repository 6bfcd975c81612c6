import { beforeEach, describe, expect, it } from "vitest";
import { createAddresses } from "../../kit/addresses.ts";
import { MARGIN_CODES } from "../errors.ts";
import { COLLATERAL_VAULT } from "../state.ts";
import { createWorld, type World } from "../testing/world.ts";
import { COIN, codeOf, give as deposit, health as healthOf, WBTC, wbtc } from "./testing/assets.ts";

const UNIT = 1_000_000n;
const addresses = createAddresses("keel");
let world: World;
const give = (number: number, units: bigint) => deposit(world, number, units);
const health = (id: ReturnType<typeof give>) => healthOf(world, id);

describe("restricted assets", () => {
  const issuer = (): string => addresses.format(world.owner(50));
  const attestor = (): string => addresses.format(world.owner(51));

  beforeEach(() => {
    world = createWorld();
    const restriction = {
      issuer: issuer(),
      attestor: attestor(),
      attestationMaxAgeMs: 86_400_000n,
      fadeMs: 100_000n,
    };
    world.margin.keeper.assets.set(world.ctx, WBTC, wbtc({ feedId: 0, restriction }));
    world.margin.keeper.assets.attest(world.ctx, attestor(), WBTC, 50_000n * 10n ** 18n);
    allow(1, true);
  });

  function allow(number: number, allowed: boolean): void {
    const listing = { denom: WBTC, holder: world.owner(number), allowed };
    world.margin.keeper.assets.allow(world.ctx, issuer(), listing);
  }

  it("are held by listed owners alone", () => {
    const { ctx, margin } = world;
    expect(codeOf(() => give(2, COIN))).toBe(MARGIN_CODES.holderNotAllowed);
    const id = give(1, COIN);
    allow(1, false);
    expect(codeOf(() => margin.keeper.assets.withdraw(ctx, id, WBTC, COIN))).toBe(
      MARGIN_CODES.holderNotAllowed,
    );
    const listing = { denom: WBTC, holder: world.owner(3), allowed: true };
    expect(codeOf(() => margin.keeper.assets.allow(ctx, attestor(), listing))).toBe(
      MARGIN_CODES.unauthorized,
    );
  });

  it("count nothing for initial margin when frozen, less and less for maintenance, and stay", () => {
    const { ctx, margin } = world;
    const id = give(1, COIN);
    margin.keeper.assets.freeze(ctx, issuer(), WBTC, true);
    expect(health(id)).toMatchObject({ equity: 47_500n * UNIT, initial: 47_500n * UNIT });
    ctx.nextBlock(25);
    expect(health(id).equity).toBe((47_500n * UNIT * 3n) / 4n);
    expect(codeOf(() => margin.keeper.assets.withdraw(ctx, id, WBTC, 1_000n))).toBe(
      MARGIN_CODES.collateralFrozen,
    );
    expect(codeOf(() => give(1, COIN))).toBe(MARGIN_CODES.collateralFrozen);
    ctx.nextBlock(80);
    expect(health(id).equity).toBe(0n);
    margin.keeper.assets.freeze(ctx, issuer(), WBTC, false);
    expect(health(id).equity).toBe(47_500n * UNIT);
  });

  it("are priced by their attestor, whose word grows old", () => {
    const { ctx, margin } = world;
    const id = give(1, COIN);
    expect(codeOf(() => margin.keeper.assets.attest(ctx, issuer(), WBTC, 1n))).toBe(
      MARGIN_CODES.unauthorized,
    );
    ctx.nextBlock(86_400);
    expect(health(id)).toMatchObject({ equity: 47_500n * UNIT, initial: 2_500n * UNIT });
    ctx.nextBlock(50);
    expect(health(id)).toMatchObject({ equity: 23_750n * UNIT, initial: 23_750n * UNIT });
    margin.keeper.assets.attest(ctx, attestor(), WBTC, 40_000n * 10n ** 18n);
    expect(health(id).equity).toBe(38_000n * UNIT);
  });

  it("are sold by the fund to listed buyers alone", () => {
    const { ctx, margin } = world;
    const asset = margin.state.assets.assets.get(ctx, WBTC);
    if (asset === undefined) throw new Error("not listed");
    margin.state.assets.assets.set(ctx, WBTC, { ...asset, inventory: "1000" });
    world.bank.mint(ctx, COLLATERAL_VAULT, 1_000n, WBTC);
    const order = { denom: WBTC, units: 1_000n, costMax: UNIT };
    expect(codeOf(() => margin.keeper.assets.buy(ctx, world.owner(2), order))).toBe(
      MARGIN_CODES.holderNotAllowed,
    );
    world.bank.mint(ctx, world.owner(1), UNIT);
    expect(margin.keeper.assets.buy(ctx, world.owner(1), order)).toBe(490_000n);
    expect(codeOf(() => margin.keeper.assets.buy(ctx, world.owner(1), order))).toBe(
      MARGIN_CODES.insufficientCollateral,
    );
  });
});

/** Every way out of a sub-account under m of n, through the messages of the real exchange. */
import {
  MsgGrantTradingKey,
  MsgGrantTradingKeyResponse,
  MsgPlaceOrder,
  MsgTransferPosition,
  MsgTransferSubaccount,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import {
  MsgApproveWithdrawal,
  MsgProposeWithdrawal,
  MsgProposeWithdrawalResponse,
  MsgSetTopUp,
  MsgSetWithdrawalPolicy,
} from "@keel/proto/gen/keel/margin/v1/custody";
import { MsgTransfer, MsgWithdraw } from "@keel/proto/gen/keel/margin/v1/tx";
import { MsgDepositToVault } from "@keel/proto/gen/keel/vault/v1/tx";
import { beforeEach, describe, expect, it } from "vitest";
import { TEST_ADDRESSES } from "../../derivatives/testing.ts";
import { type AccountId, accountId } from "../../kit/account-id.ts";
import { atomically } from "../../kit/atomically.ts";
import { ModuleError } from "../../kit/errors.ts";
import {
  BTC,
  createWorld,
  DENOM,
  futureMarket,
  HOUR_MS,
  maturity,
  START_MS,
  UNIT,
  type World,
} from "../../testing/world.ts";
import { codeName } from "./testing.ts";

const FUTURE = "BTC-SOON";
const [OWNER, THIEF, KEY_ONE, KEY_TWO, HOT] = [1, 66, 11, 12, 7];

let world: World;
let safe: AccountId;
let thief: AccountId;

function send(name: string, message: object): Uint8Array {
  const routes = world.modules.flatMap(({ messages }) => messages);
  const route = routes.find(({ typeUrl }) => typeUrl.endsWith(`.${name}`));
  if (route === undefined) throw new Error(`no route ${name}`);
  const decoded = route.decode(route.encode(message));
  route.validate(decoded);
  const signers = route.signers(decoded).map((address) => TEST_ADDRESSES.parse(address));
  return atomically(world.ctx, (ctx) => route.handle({ ...ctx, signers }, decoded));
}

function outcome(body: () => unknown): string {
  try {
    body();
    return "accepted";
  } catch (error) {
    if (!(error instanceof ModuleError)) throw error;
    return error.codespace === "margin" ? codeName(error.code) : `${error.codespace} ${error.code}`;
  }
}

const owner = (): string => world.address(OWNER);

beforeEach(() => {
  world = createWorld({ fundUnits: 1_000n });
  world.setPrice(BTC, "60000");
  world.list(futureMarket(FUTURE, maturity(START_MS + 24 * HOUR_MS)));
  world.block();
  world.setPrice(BTC, "60000");
  safe = world.funded(OWNER, 10_000n);
  thief = world.funded(THIEF, 100_000n);
  const keys = [KEY_ONE, KEY_TWO].map(world.address).sort((a, b) => (a < b ? -1 : 1));
  const policy = { threshold: 2, keys, tradingLossPerDay: `${10n * UNIT}`, topUpPerDay: "0" };
  send("MsgSetWithdrawalPolicy", MsgSetWithdrawalPolicy.fromPartial({ sender: owner(), policy }));
});

describe("with the owner's key in a thief's hands", () => {
  it("no message takes more out of the sub-account than the policy's loss of a day", () => {
    const amount = `${UNIT}`;
    const of = { sender: owner(), denom: DENOM, amount };
    const ends = { fromOwner: owner(), toOwner: world.address(THIEF), toSubaccount: 9 };
    const ways: Readonly<Record<string, readonly [string, object]>> = {
      withdrawal: ["MsgWithdraw", MsgWithdraw.fromPartial(of)],
      transfer: ["MsgTransfer", MsgTransfer.fromPartial({ ...of, toSubaccount: 1 })],
      port: ["MsgTransferSubaccount", MsgTransferSubaccount.fromPartial(ends)],
      "another policy": [
        "MsgSetWithdrawalPolicy",
        MsgSetWithdrawalPolicy.fromPartial({
          sender: owner(),
          policy: {
            threshold: 1,
            keys: [owner()],
            tradingLossPerDay: "0",
            topUpPerDay: "0",
          },
        }),
      ],
    };
    for (const [way, [name, message]] of Object.entries(ways)) {
      expect(
        outcome(() => send(name, message)),
        way,
      ).toBe("policyRequired");
    }
    world.trade(FUTURE, thief, safe, "0.1", "60000");
    const position = MsgTransferPosition.fromPartial({ ...ends, market: FUTURE, collateral: "5" });
    expect(outcome(() => send("MsgTransferPosition", position))).toBe("policyRequired");
    // A vault is paid in coins, of which the sub-account has none.
    const shares = MsgDepositToVault.fromPartial({ sender: owner(), denom: DENOM, amount });
    expect(outcome(() => send("MsgDepositToVault", shares))).toMatch(/^(sdk|vault)/);
    expect(world.violation()).toBeNull();
  });

  it("no order at the edge of the band pays the thief, by the owner's key or a trading key", () => {
    const key = new Uint8Array(33).fill(HOT);
    const granted = send(
      "MsgGrantTradingKey",
      MsgGrantTradingKey.fromPartial({
        sender: owner(),
        key: { type: 1, key },
        subaccounts: [0],
        notionalPerDay: `${10n ** 15n}`,
        expiryMs: BigInt(world.nowMs() + HOUR_MS),
      }),
    );
    const { trader } = MsgGrantTradingKeyResponse.decode(granted);
    const before = world.margin.keeper.health(world.ctx, safe)?.equity ?? 0n;
    world.place(FUTURE, thief, "sell 0.5 @ 62000 post");
    const buy = (sender: string): unknown =>
      send(
        "MsgPlaceOrder",
        MsgPlaceOrder.fromPartial({
          sender,
          owner: owner(),
          market: FUTURE,
          side: 1,
          type: 1,
          price: "62000",
          size: "0.5",
          timeInForce: 2,
        }),
      );
    for (const sender of [owner(), trader]) outcome(() => buy(sender));
    const after = world.margin.keeper.health(world.ctx, safe)?.equity ?? 0n;
    expect(before - after).toBeLessThanOrEqual(10n * UNIT);
    expect(world.margin.keeper.positionLots(world.ctx, safe, 1)).toBe(0n);
    // At the market's own price it trades as ever.
    world.place(FUTURE, thief, "sell 0.1 @ 60000 post");
    world.place(FUTURE, safe, "buy 0.1 @ 60000 ioc");
    expect(world.margin.keeper.positionLots(world.ctx, safe, 1)).not.toBe(0n);
    expect(world.violation()).toBeNull();
  });

  it("no top-up empties it into a sub-account without a policy", () => {
    const bait = accountId(world.owner(OWNER), 1);
    world.bank.mint(world.ctx, world.owner(OWNER), { denom: DENOM, amount: 4_000n * UNIT });
    world.margin.keeper.deposit(world.ctx, world.owner(OWNER), bait, 4_000n * UNIT);
    const rule = { from: [0], targetPpm: 10_000_000n, capPerDay: `${10n ** 12n}` };
    send("MsgSetTopUp", MsgSetTopUp.fromPartial({ sender: owner(), subaccount: 1, rule }));
    world.trade(FUTURE, thief, bait, "0.5", "60000");
    const held = world.collateral(safe);
    world.setPrice(BTC, "53000");
    world.block();
    expect(world.eventsOf("top_up")).toEqual([]);
    expect(world.eventsOf("top_up_refused")).toHaveLength(1);
    expect(world.collateral(safe)).toBe(held);
    expect(world.violation()).toBeNull();
  });
});

it("moves whole under another name once its keys have approved exactly that", () => {
  const to = { toOwner: world.address(THIEF), toSubaccount: 9 };
  const expiryMs = BigInt(world.nowMs() + HOUR_MS);
  const proposal = MsgProposeWithdrawal.fromPartial({
    sender: world.address(KEY_ONE),
    owner: owner(),
    action: { port: to },
    expiryMs,
  });
  const { id } = MsgProposeWithdrawalResponse.decode(send("MsgProposeWithdrawal", proposal));
  const move = (toSubaccount: number): string =>
    outcome(() =>
      send(
        "MsgTransferSubaccount",
        MsgTransferSubaccount.fromPartial({ fromOwner: owner(), ...to, toSubaccount }),
      ),
    );
  expect(move(9)).toBe("policyRequired");
  const approval = { sender: world.address(KEY_TWO), owner: owner(), id };
  send("MsgApproveWithdrawal", MsgApproveWithdrawal.fromPartial(approval));
  expect(move(8)).toBe("policyRequired");
  expect(move(9)).toBe("accepted");
  expect(world.collateral(accountId(world.owner(THIEF), 9))).toBe(10_000n * UNIT);
  expect(world.violation()).toBeNull();
});

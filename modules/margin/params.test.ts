import { MsgUpdateParams } from "@keel/proto/gen/keel/margin/v1/tx";
import { describe, expect, test } from "vitest";
import { createAddresses } from "../kit/addresses.ts";
import { LIQUIDATIONS_PER_BLOCK_CEILING, SETTLEMENT_PER_BLOCK_CEILING } from "./limits.ts";
import { defaultParams, validateParams } from "./params.ts";
import { createWorld, DENOM } from "./testing/world.ts";

const addresses = createAddresses("keel");
const UINT32_MAX = 4_294_967_295;

describe("parameters that bound the work of a block", () => {
  const defaults = defaultParams(DENOM);
  const validate = (change: object) => (): void =>
    validateParams({ ...defaults, ...change }, addresses);

  test.each(["settlementAccountsPerBlockMax", "settlementPositionsPerBlockMax"])(
    "%s has a ceiling, and 0 stands for the default",
    (name) => {
      expect(validate({ [name]: 0 })).not.toThrow();
      expect(validate({ [name]: SETTLEMENT_PER_BLOCK_CEILING })).not.toThrow();
      for (const most of [SETTLEMENT_PER_BLOCK_CEILING + 1, UINT32_MAX])
        expect(validate({ [name]: most })).toThrow(`at most ${SETTLEMENT_PER_BLOCK_CEILING} `);
    },
  );

  test("liquidationsPerBlockMax has a ceiling", () => {
    for (const most of [1, LIQUIDATIONS_PER_BLOCK_CEILING])
      expect(validate({ liquidationsPerBlockMax: most })).not.toThrow();
    for (const most of [0, LIQUIDATIONS_PER_BLOCK_CEILING + 1, UINT32_MAX])
      expect(validate({ liquidationsPerBlockMax: most })).toThrow(
        `1 to ${LIQUIDATIONS_PER_BLOCK_CEILING} liquidations`,
      );
  });

  test("are refused when they are proposed", () => {
    const world = createWorld();
    const route = world.margin.module.messages.find(({ typeUrl }) =>
      typeUrl.endsWith(".MsgUpdateParams"),
    );
    const propose = (change: object) => (): void =>
      route?.validate(
        MsgUpdateParams.fromPartial({
          authority: addresses.format(world.owner(1)),
          params: { ...defaults, ...change },
        }),
      );
    expect(propose({})).not.toThrow();
    expect(propose({ settlementPositionsPerBlockMax: UINT32_MAX })).toThrow("settled per block");
    expect(propose({ liquidationsPerBlockMax: UINT32_MAX })).toThrow("liquidations per block");
  });
});

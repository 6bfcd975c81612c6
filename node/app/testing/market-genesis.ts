/** Genesis of a small market, from the modules' defaults. */
import { linearPerpetual } from "@keel/modules/derivatives/defaults";
import { defaultParams } from "@keel/modules/margin/params";
import { defaultParams as defaultVaultParams } from "@keel/modules/vault/params";
import { Market } from "@keel/proto/gen/keel/derivatives/v1/types";
import { Params } from "@keel/proto/gen/keel/margin/v1/types";
import { Params as VaultParams } from "@keel/proto/gen/keel/vault/v1/types";
import { messageToJson } from "../genesis.ts";

export const marginParamsJson: unknown = messageToJson(
  "keel.margin.v1.Params",
  Params.encode(defaultParams("uusdc")).finish(),
);

/** BTC-PERP on feed 1: ticks of 0.1, lots of 0.001. */
export function btcPerpetual(): Market {
  return linearPerpetual({
    symbol: "BTC-PERP",
    baseAsset: "BTC",
    quoteAsset: "USD",
    feedId: 1,
    tickSize: "0.1",
    lotSize: "0.001",
  });
}

export const btcPerpetualJson: unknown = messageToJson(
  "keel.derivatives.v1.Market",
  Market.encode(btcPerpetual()).finish(),
);

/** With times short enough for tests. */
export const vaultParamsJson: unknown = messageToJson(
  "keel.vault.v1.Params",
  VaultParams.encode({
    ...defaultVaultParams(),
    lockupMs: 10_000n,
    withdrawalDelayMs: 3_000n,
  }).finish(),
);

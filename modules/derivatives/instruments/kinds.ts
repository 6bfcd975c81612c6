/** The kinds of contract by name. */
import { asianOption } from "./asian-option.ts";
import type { Kind } from "./contract.ts";
import type { ContractKind } from "./contract-kind.ts";
import { datedFuture } from "./dated-future.ts";
import { digitalOption } from "./digital-option.ts";
import { europeanOption } from "./european-option.ts";
import { linearPerpetual } from "./linear-perpetual.ts";

export const kinds: Readonly<Record<Kind, ContractKind>> = {
  linearPerpetual,
  datedFuture,
  europeanOption,
  digitalOption,
  asianOption,
};

/** Derivatives: markets, orders, books, matching, funding, trading fees. Positions and collateral are margin's. */
import type { Addresses } from "../kit/addresses.ts";
import type { Schema } from "../kit/collections/schema.ts";
import type { ModuleDefinition } from "../kit/module.ts";
import type { VerifySignature } from "../kit/signature.ts";
import { createAccounts } from "./accounts.ts";
import { createBooks } from "./book/books.ts";
import { externalQueries } from "./external/queries.ts";
import { externalMessages } from "./external/routes.ts";
import { feeQueries } from "./fees/queries.ts";
import { feeMessages } from "./fees/routes.ts";
import { derivativesGenesis } from "./genesis.ts";
import { derivativesInvariants } from "./invariants.ts";
import { createKeeper, type DerivativesKeeper } from "./keeper.ts";
import { keyMessages } from "./keys/routes.ts";
import { derivativesMessages } from "./messages.ts";
import type { BankPort, ClearingPort, GuardPort, KeyAccountsPort, OraclePort } from "./ports.ts";
import { derivativesQueries } from "./queries.ts";
import { UNGUARDED } from "./restricted.ts";
import { derivativesState } from "./state.ts";
import type { Venue } from "./venue.ts";
import { createWaitingIndexes } from "./waiting/waiting-index.ts";

/** `clearing` may delegate to a module built later. */
export interface DerivativesPorts {
  readonly clearing: ClearingPort;
  readonly oracle: OraclePort;
  readonly bank: BankPort;
  readonly addresses: Addresses;
  readonly verify: VerifySignature;
  readonly keyAccounts: KeyAccountsPort;
  /** May delegate to a module built later; absent: nothing is restricted. */
  readonly guard?: GuardPort;
}

export interface Derivatives {
  readonly module: ModuleDefinition;
  readonly keeper: DerivativesKeeper;
  /** For invariant tests and simulation only. */
  readonly venue: Venue;
}

export function createDerivatives(schema: Schema, ports: DerivativesPorts): Derivatives {
  const state = derivativesState(schema);
  const venue: Venue = {
    state,
    books: createBooks(state),
    waiting: createWaitingIndexes(state),
    accounts: createAccounts(ports.addresses),
    guard: UNGUARDED,
    ...ports,
  };
  const keeper = createKeeper(venue);
  return {
    keeper,
    venue,
    module: {
      name: "derivatives",
      version: 1,
      messages: [
        ...derivativesMessages(venue, keeper),
        ...externalMessages(venue),
        ...keyMessages(venue),
        ...feeMessages(venue),
      ],
      queries: [...derivativesQueries(venue), ...externalQueries(venue), ...feeQueries(venue)],
      genesis: derivativesGenesis(venue),
      beginBlock: (ctx) => keeper.beginBlock(ctx),
      endBlock: (ctx) => keeper.endBlock(ctx),
      invariants: derivativesInvariants(venue),
    },
  };
}

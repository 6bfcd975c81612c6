/** Genesis of the guard. Rules of markets that are gone are left out; whatever else is wrong is refused. */
import { GenesisState } from "@keel/proto/gen/keel/guard/v1/genesis";
import type { Velocity } from "@keel/proto/gen/keel/guard/v1/types";
import type { Addresses } from "../kit/addresses.ts";
import { withAuthority } from "../kit/authority.ts";
import type { WriteContext } from "../kit/context.ts";
import type { GenesisHooks } from "../kit/module.ts";
import { onGenesis } from "../kit/module.ts";
import type { Parts } from "./breakers.ts";
import { adoptRules } from "./controllers.ts";
import { refuse } from "./errors.ts";
import { recordsFault, restrictionsFault } from "./invariants.ts";
import { BUCKETS } from "./limits.ts";
import { validateParams } from "./params.ts";
import { validateLimits, validateRules } from "./rules.ts";
import { ALL_MARKETS } from "./state.ts";

/** Owner and number. */
const ACCOUNT_BYTES = 24;
const AMOUNT = /^(0|[1-9][0-9]{0,38})$/;

function requireThat(condition: boolean, message: string): void {
  if (!condition) throw refuse("invalidRequest", `guard genesis: ${message}`);
}

function initVelocity(ctx: WriteContext, { state }: Parts, velocity: Velocity): void {
  const { denom, flows } = velocity;
  const limits = flows.flatMap(({ limit }) => (limit === undefined ? [] : [limit]));
  requireThat(limits.length === flows.length, `${denom} has a flow without a limit`);
  validateLimits(denom, limits);
  for (const { buckets } of flows) {
    requireThat(buckets.length <= Number(BUCKETS) + 1, `${denom} has too many parts of a window`);
    for (const { deposited, withdrawn } of buckets) {
      requireThat(AMOUNT.test(deposited) && AMOUNT.test(withdrawn), `${denom} moved no amount`);
    }
  }
  state.velocities.set(ctx, denom, velocity);
}

function init(ctx: WriteContext, parts: Parts, genesis: GenesisState): void {
  const { state } = parts;
  const { venue } = parts.ports;
  const listed = (market: number): boolean => venue.terms(ctx, market) !== undefined;
  for (const record of genesis.restrictions) {
    if (record.market === ALL_MARKETS || listed(record.market)) {
      state.restrictions.set(ctx, record.market, record);
    }
  }
  for (const { market, rules } of genesis.rules) {
    if (rules === undefined) throw refuse("invalidRequest", "guard genesis: empty rules");
    validateRules(rules);
    if (!listed(market)) continue;
    state.rules.set(ctx, market, rules);
    adoptRules(ctx, parts, market, rules);
  }
  for (const { market, range, watch } of genesis.watches) {
    if (!listed(market)) continue;
    const buckets = watch?.buckets ?? [];
    const sound = buckets.every(({ high, low }) => {
      if (!AMOUNT.test(low) || !AMOUNT.test(high)) return false;
      // Moves are shares of both.
      return BigInt(low) > 0n && BigInt(low) <= BigInt(high);
    });
    requireThat(sound && buckets.length > 0, `market ${market} watches no price`);
    state.watches.set(ctx, [market, range], { buckets });
  }
  for (const measures of genesis.measures) {
    if (listed(measures.market)) state.measures.set(ctx, measures.market, measures);
  }
  for (const velocity of genesis.velocities) initVelocity(ctx, parts, velocity);
  if (genesis.survey !== undefined) {
    requireThat(genesis.survey.cursor.length === ACCOUNT_BYTES, "the survey stands nowhere");
    state.survey.set(ctx, genesis.survey);
  }
  for (const move of genesis.moves) state.moves.set(ctx, move.id, move);
  if (genesis.lastBlockMs > 0n) state.lastBlock.set(ctx, genesis.lastBlockMs);
  if (genesis.emergencyUse !== undefined) state.emergencyUse.set(ctx, genesis.emergencyUse);
}

export function guardGenesis(parts: Parts, addresses: Addresses): GenesisHooks {
  const { state } = parts;
  return onGenesis({
    typeName: "keel.guard.v1.GenesisState",
    codec: GenesisState,
    init(ctx, genesis) {
      const { params } = genesis;
      if (params === undefined) throw refuse("invalidRequest", "guard genesis: no params");
      validateParams(params, addresses);
      state.params.set(ctx, withAuthority(params, addresses));
      init(ctx, parts, genesis);
      const fault = restrictionsFault(ctx, state) ?? recordsFault(ctx, state);
      requireThat(fault === null, fault ?? "");
    },
    export(ctx) {
      const genesis: GenesisState = {
        params: state.params.require(ctx),
        rules: [],
        restrictions: [],
        watches: [],
        measures: [],
        velocities: [],
        survey: state.survey.get(ctx),
        moves: [],
        lastBlockMs: state.lastBlock.get(ctx) ?? 0n,
        emergencyUse: state.emergencyUse.get(ctx),
      };
      state.rules.each(ctx, (market, rules) => void genesis.rules.push({ market, rules }));
      state.restrictions.each(ctx, (_market, record) => void genesis.restrictions.push(record));
      state.watches.each(ctx, ([market, range], watch) => {
        genesis.watches.push({ market, range, watch });
      });
      state.measures.each(ctx, (_market, measures) => void genesis.measures.push(measures));
      state.velocities.each(ctx, (_denom, velocity) => void genesis.velocities.push(velocity));
      state.moves.each(ctx, (_id, move) => void genesis.moves.push(move));
      return genesis;
    },
  });
}

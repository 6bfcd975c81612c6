/** What a full run must have gone through: every operation, message, event, reason and refusal, but for those that no agent can bring about. */
import { DERIVATIVES_CODES } from "@keel/modules/derivatives/errors";
import { externalOperations } from "@keel/modules/derivatives/external/simulate";
import { operations } from "@keel/modules/derivatives/simulate";
import { INSURANCE_CODES } from "@keel/modules/insurance/errors";
import { MARGIN_CODES } from "@keel/modules/margin/errors";
import { createKeel } from "@keel/node/app/app";
import { createVerifier } from "@keel/node/crypto/verifier";
import type { Requirement, Section } from "./coverage.ts";
import { ownOperations } from "./traffic.ts";

/** Of the modules' operations, those that are wrong on purpose. */
const WRONG: readonly string[] = [
  "off tick",
  "slippage on a limit",
  "waiting without a trigger price",
  "forged document",
  // Up to eight legs in markets of which some collect and some are thin: those of this folder are of two that do not.
  "combination",
];

/** Codes that need what no run of this size has, and where they are met instead. */
const UNREACHED: Readonly<Record<string, string>> = {
  "derivatives 19": "262,144 resting orders in one market",
  "derivatives 47":
    "65,536 waiting orders in one market, or a fifth reduce-only one for a least order",
  "derivatives 53":
    "more cancels by name of one account for one round than it may have orders in the market",
  "derivatives 86": "more builders of one account than there are",
  "margin 11": "a fault of the chain, which quarantines a market",
  "margin 13": "a market that the exchange has and the ledger does not know",
  "margin 15": "sums beyond 2^127",
  "margin 61": "64 bids that stand on one side of a market",
  "margin 66": "an owner who holds one market in more than 16 sub-accounts",
  "margin 31": "a chain without a margin model: this one has one from its first block",
};

/** Of modules without a table of the codes that no run meets: those that every one of this size does. */
const MET: readonly string[] = [
  ...[5, 6, 7, 8, 10, 11, 13].map((code) => `vault ${code}`),
  ...[7, 8, 9, 10].map((code) => `guard ${code}`),
];

const OPTIONS: readonly string[] = [
  "european call",
  "european put",
  "digital call",
  "digital put",
  "asian call",
  "asian put",
];
const DATED: readonly string[] = ["future", ...OPTIONS];

function of(section: Section, names: readonly string[]): Requirement[] {
  return names.map((name) => ({ section, name }));
}

function codes(codespace: string, known: Readonly<Record<string, number>>): Requirement[] {
  const names = Object.values(known).map((code) => `${codespace} ${code}`);
  return of(
    "refusal",
    names.filter((name) => UNREACHED[name] === undefined),
  );
}

export function required(): Requirement[] {
  const modules = [...operations, ...externalOperations].map(({ name }) => name);
  const wrong = ownOperations.flatMap((one) => (one.wrong === true ? [one.name] : []));
  const right = ownOperations.flatMap((one) => (one.wrong === true ? [] : [one.name]));
  const keel = createKeel({
    addressPrefix: "keel",
    verifier: createVerifier({ backend: "js", workers: 0 }),
  });
  return [
    ...of("operation accepted", [...modules.filter((name) => !WRONG.includes(name)), ...right]),
    ...of("operation refused", [...WRONG, ...wrong]),
    ...of("message accepted", [...keel.messages.keys()]),
    ...of("life of a contract", [
      "perpetual: traded",
      "perpetual: traded in an auction",
      "perpetual: funded",
      "perpetual: liquidated",
      "perpetual: halted",
      "perpetual: position settled",
      "perpetual: settled",
    ]),
    ...of(
      "life of a contract",
      DATED.flatMap((kind) =>
        [
          "active",
          "closeOnly",
          "settling",
          "settled",
          "position settled",
          "removed",
          "order rests",
        ].map((step) => `${kind}: ${step}`),
      ),
    ),
    ...of(
      "life of a contract",
      [...DATED.filter((kind) => !kind.startsWith("digital")), "perpetual"].map(
        (kind) => `${kind}: traded`,
      ),
    ),
    ...of("life of a contract", [
      "digital call: traded in an auction",
      "digital put: traded in an auction",
      "future: proposed",
    ]),
    ...of("event", EVENTS),
    ...of("who bears a loss", BEARERS),
    ...of("leaves because", REASONS),
    ...codes("derivatives", DERIVATIVES_CODES),
    ...codes("margin", MARGIN_CODES),
    ...codes("insurance", INSURANCE_CODES),
    ...of("refusal", MET),
  ];
}

/** All but `market_quarantined` and `invariant_broken`, which are answers to faults. */
const EVENTS: readonly string[] = [
  ...["order_placed", "order_filled", "order_cancelled", "order_reduced", "order_refused", "trade"],
  ...["funding_rate", "market_created", "market_updated", "settlement_price", "market_settled"],
  ...["market_removed", "bond_locked", "bond_returned", "bond_forfeited", "series_created"],
  ...["series_updated", "order_accepted", "auction_opening", "auction_cleared", "auction_fill"],
  ...["cancel_accepted", "oracle_transactions_missing"],
  ...["external_trade", "document_cancelled", "order_refilled", "order_amended", "order_waiting"],
  ...["order_triggered", "twap_slice", "combo_filled", "dead_man_set", "dead_man_fired"],
  ...["salt_floor", "position_transferred", "subaccount_transferred", "trading_key_granted"],
  ...["trading_key_revoked", "deposit", "withdraw", "subaccount_transfer", "liquidation"],
  ...["deleverage", "deficit", "deficit_covered", "withdrawals_gated", "fees_collected"],
  ...["dynamic_margin", "guard_ended", "guard_move", "guard_outage", "guard_range", "guard_rules"],
  ...["guard_tightened"],
  ...["dynamic_margin", "liquidation_due", "liquidation_throttled", "liquidation_offer"],
  ...["liquidation_bid", "liquidation_auction", "liquidation_bid_filled", "liquidation_slice"],
  ...["dynamic_margin", "collateral_asset_set", "collateral_converted", "collateral_sold"],
  ...["collateral_price_attested", "collateral_frozen", "collateral_holder"],
  ...[
    "insurance_bought",
    "insurance_sold",
    "position_settled",
    "insurance_funded",
    "insurance_received",
    "insurance_paid",
  ],
  ...["oracle_price", "oracle_below_quorum", "margin_mode_set", "portfolio_model_set"],
  ...["withdrawal_policy_set", "withdrawal_proposed", "withdrawal_decided", "withdrawal_dropped"],
  ...["withdrawal_executed", "top_up_rule_set", "top_up", "top_up_refused", "market_short"],
  ...["oracle_price_refused", "oracle_price_confirmed", "oracle_slow_lane"],
  ...["oracle_feed", "oracle_surface", "oracle_surface_below_quorum", "oracle_surface_listed"],
  ...["insurance_fund_set", "insurance_underwritten", "insurance_notice", "insurance_redeemed"],
  ...["waterfall_set", "loss", "deleverage_round", "gains_haircut", "fees_split", "fee_shared"],
  ...["backstop_takeover", "vault_capital", "vault_deposit", "vault_market_set"],
  ...["vault_withdrawal_requested", "vault_withdrawal_cancelled", "vault_withdrawn"],
  ...["fee_params_updated", "referral_code_registered", "referrer_set", "builder_approved"],
];

/**
 * Of losses of each cause, every layer of the order of payments that it can reach. Funds pay for whoever is below zero before anything settles, and the mark comes to the settlement price, so that
 * what they pay at a settlement itself is what a tick rounds, or by luck: `modules/margin/clearing/settlement.test.ts`.
 */
const BEARERS: readonly string[] = [
  ...["funds of its classes", "shared fund", "assessment", "the protocol's own part"].map(
    (layer) => `liquidation: ${layer}`,
  ),
  ...["deleveraging", "residue", "queue"].map((layer) => `liquidation: ${layer}`),
  "settlement: queue",
  ...["shared fund", "haircut"].map((layer) => `queue: ${layer}`),
];

const REASONS: readonly string[] = [
  ...["user", "expired", "margin", "self_trade", "reduce_only", "oco", "dead_man"],
  ...["trigger_refused", "twap_end", "transfer", "liquidation", "immediate", "fills_bound"],
  ...["open_interest_cap"],
];

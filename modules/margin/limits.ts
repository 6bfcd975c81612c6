/** Bounds of this module, each with its reason. */

/** Lots are stored as sint64; half the range leaves room for position ± open orders. */
export const LOTS_LIMIT: bigint = 1n << 62n;

/** Of what a fund has paid, with its shares: a million and more of them for a quantum, so 39 digits and as many as may have gone for all payments. */
export const ADVANCE_TEXT_MAX = 80;

/** Hard ceiling of Params.markets_per_account_max: health is linear in it and runs for every fill. */
export const MARKETS_PER_ACCOUNT_CEILING = 64;

/** A trade that makes an owner larger looks at each of its sub-accounts in the market. */
export const OWNER_SUBACCOUNTS_PER_MARKET_MAX = 16;

/**
 * Deleveragings one block may run, of accounts below zero and of those that nobody has taken, market by market: a side of a market is found once a block, and each
 * deleveraging closes up to the counterparties below; each round more counts as another one. An account that must be borne whole and holds more markets has a block for itself.
 */
export const DELEVERAGES_PER_BLOCK_MAX = 20;

/** Counterparties one deleveraging may close, most leveraged first. */
export const DELEVERAGE_COUNTERPARTIES_MAX = 500;

/** Rounds of allocation in one deleveraging: a round repeats only when a counterparty could not take its full part. */
export const DELEVERAGE_ROUNDS_MAX = 8;

/**
 * Accounts below zero of which nothing can be closed, for which funds pay in one block: what waits keeps withdrawals shut. A payment takes 0.06 ms, cold and on a busy
 * machine up to 0.4 ms, and 0.7 ms with an asset to be sold before it (in memory); the store writes some ten records for it.
 */
export const COVERED_PER_BLOCK_MAX = 500;

/** Accounts short of margin that one block judges a second time, by the marks' averages, for each turn it has to give: enough to pass over those who wait, and no more work for a million of them. */
export const JUDGED_PER_TURN = 10;

/** When the backstop is asked, unless the parameters say otherwise: two thirds of maintenance, or a minute without a fill, after which the other side is asked, too. */
export const BACKSTOP_HEALTH_DEFAULT_PPM = 666_667n;
export const BACKSTOP_WAIT_DEFAULT_MS = 60_000n;

/** What one block settles of expired markets unless the parameters say otherwise: about 50 ms of it. */
export const SETTLEMENT_ACCOUNTS_DEFAULT = 20_000;
export const SETTLEMENT_POSITIONS_DEFAULT = 2_500;

/** Ceiling of both parameters: a position takes 20 µs, so a block of so many takes a second. */
export const SETTLEMENT_PER_BLOCK_CEILING = 50_000;

/** Ceiling of Params.liquidations_per_block_max: 200 of a cascade take 0.14 s, so a block of so many takes less than a second. */
export const LIQUIDATIONS_PER_BLOCK_CEILING = 1_000;

/** Markets of one sweep, and those that one block closes when it is through. */
export const SWEEP_MARKETS_MAX = 4096;
export const SWEEP_CLOSES_PER_BLOCK_MAX = 500;

/** Page sizes of the Positions query. */
export const POSITIONS_PAGE_DEFAULT = 100;
export const POSITIONS_PAGE_MAX = 1000;

/** Sub-accounts answered by one Accounts query. */
export const ACCOUNTS_PER_ANSWER_MAX = 256;

/** Quanta: a market is not stopped for less than a unit, whatever the floor says: a rounding is nothing to end a market for. */
export const SETTLEMENT_FLOOR_MIN = 1_000_000n;

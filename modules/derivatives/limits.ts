/** Bounds of the derivatives module and why. */
import type { KeyKind } from "../kit/signature.ts";

/** Ticks and lots of one order: 31-bit integers in the book's records. A market needing more has a tick or lot too fine. */
export const TICKS_MAX = 2_147_483_647;
/**
 * Ticks in the price of the underlying below which a market only takes what reduces positions. Marks are in whole ticks: here one is half a percent of the price, and with a
 * few less a small move of the index is more of the mark than margin covers, so that who holds both sides is paid by the fund for what the loser misses.
 */
export const TICKS_TO_OPEN_MIN = 200n;
export const LOTS_MAX = 2_147_483_647;

/** Open orders in one market: a book is rebuilt from state on a fork in well under a second. */
export const OPEN_ORDERS_PER_MARKET_MAX = 262_144;

/** Markets that the parameters may allow: each is a few kilobytes of memory, with a book of its own once it has orders. */
export const MARKETS_CEILING = 65_536;

/** Bonds at one time: each block looks at all. */
export const BONDS_CEILING = 1000;

/** Series, expiries of one, and strikes of one expiry: what one block looks at to find what is missing. */
export const SERIES_MAX = 64;
export const EXPIRIES_MAX = 16;
export const STRIKES_MAX = 400;

/** Three years, and for averages four hundred days: longer ones cost state for long and have no price to be marked by. */
export const TIME_TO_EXPIRY_MAX_MS = 94_608_000_000;
export const AVERAGING_MAX_MS = 34_560_000_000;

/** Conditional orders and TWAPs in one market: their index is rebuilt on a fork as a book is. */
export const WAITING_PER_MARKET_MAX = 65_536;
/** From here on a market ends reduce-only orders that wait for nothing: of sub-accounts whose position and entries have gone. So many a block. */
export const WAITING_CROWDED = 49_152;
export const IDLE_ENDED_PER_BLOCK_MAX = 2_000;
/** Parts of the sub-accounts, of which a block looks at one: a look at all is some 20 ms, and a market may stay crowded for long. */
export const IDLE_PARTS = 16;
/** Reduce-only orders that may wait for each least order that there is to reduce: a stop, a take-profit, a trailing stop and one more. */
export const REDUCING_PER_LEAST_ORDER = 4n;
/** Waiting orders of one market that one block places. Each may sweep a book. */
export const TRIGGERS_PER_BLOCK_MAX = 200;
/** Due ones that one block may refuse: of those with nothing to reduce, and as many of the others. A refusal undoes one order. */
export const TRIGGER_REFUSALS_PER_BLOCK_MAX = 1_000;
/** Due ones that get their turn in one block, for later ones, because the block has placed enough. */
export const TURNS_KEPT_PER_BLOCK_MAX = 2_000;
/** Classes of trailing stops that one block joins at a new best mark; the others follow, at the same mark. */
export const TRAIL_MERGES_PER_BLOCK_MAX = 1_000;

/** Parts of an iceberg: bounds what one order can hold a taker up for. */
export const ICEBERG_PARTS_MAX = 100;
export const TWAP_SLICES_MAX = 1_000;
/**
 * What each slice of a TWAP pays when the order is placed: as much as one that fills nothing uses at the end of its block, margin and all. A reduce-only one holds
 * nothing back, so without this a placement bought a thousand blocks of work.
 */
export const TWAP_SLICE_GAS = 30_000;
/** The same where matching is by auction: a slice is an order of its own there, and enters and leaves the book. It uses 66,000, a reduce-only one 43,000. */
export const AUCTION_SLICE_GAS = 70_000;
export const TWAP_INTERVAL_MIN_MS = 1_000;
export const TWAP_INTERVAL_MAX_MS = 86_400_000;
/** A slice makes up for earlier ones up to this many times its share. */
export const TWAP_CATCH_UP = 3n;
export const COMBO_LEGS_MAX = 8;

/** Last block an order may name: 32 bits in the book, beyond any good-til time. */
export const GOOD_TIL_BLOCKS_MAX = 200_000_000;

/** Orders that one block cancels for dead men whose time has come. */
export const DEAD_MAN_CANCELS_PER_BLOCK_MAX = 2_000;
/** Dead men that one block takes off the queue without cancelling anything: of sub-accounts without orders, or moved ahead. */
export const DEAD_MEN_IDLE_PER_BLOCK_MAX = 2_000;
/** A dead man whose orders cannot be cancelled, since their market fails at it, is set anew for so much later. */
export const DEAD_MAN_RETRY_MS = 60_000;
/** Dead men in the queue among which one block looks for those with orders: with so many due, in eight markets each, that and its cancels take a tenth of a second. */
export const DEAD_MEN_DUE_MAX = 20_000;
/** Looks for them in the markets, under a tenth of a second together: where they would be more, fewer dead men are looked at. */
export const DEAD_MAN_LOOKS_PER_BLOCK_MAX = 100_000;

/** Orders, amendments, and cancels, in one batch: bounds what one message can hold a block for. */
export const BATCH_ORDERS_MAX = 100;
export const BATCH_AMENDMENTS_MAX = 100;
export const BATCH_CANCELS_MAX = 100;

export const CLIENT_ID_BYTES_MAX = 32;
export const SYMBOL_BYTES_MAX = 32;

/** Orders per side of one auction: a few milliseconds of clearing. */
export const AUCTION_ORDERS_MAX = 10_000;
/**
 * Attempts at one auction; each but the last takes orders out that could not be filled. What then still crosses waits a block. More of them while few
 * orders were looked at: sixteen accounts that refuse one after the other are easily had, the three hundred of these looks take two tenths of a second.
 */
export const AUCTION_ROUNDS = 16;
export const AUCTION_LOOKS_MAX = 50_000;
export const OPENING_MAX_MS = 86_400_000n;
/** A market that stood still for a day and goes on as if nothing had been has no rule of interruptions; none is 0. */
export const INTERRUPTION_MAX_MS = 86_400_000n;

/** Levels per side in one answer. */
export const BOOK_DEPTH_MAX = 500;
export const BOOK_DEPTH_DEFAULT = 50;
/** Orders per side in one answer. */
export const BOOK_ORDERS_MAX = 1000;
export const BOOK_ORDERS_DEFAULT = 100;
/** Resting orders one book query may read per side, however crowded its levels are. */
export const BOOK_QUERY_ORDERS_MAX = 100_000;

/** Markets, and strikes of a chain, in one answer. */
export const MARKETS_PAGE_MAX = 1000;
export const CHAIN_PAGE_MAX = 500;

export const TIERS_MAX = 16;
/** Decimal places of a tick or lot. */
export const PLACES_MAX = 12;
/** Upper bounds of listing terms that bound work. */
export const OPEN_ORDERS_PER_ACCOUNT_MAX = 1000;
export const FILLS_PER_ORDER_MAX = 1000;

/** Documents, and trades between them, in one message: bounds what one message can hold a block for. */
export const DOCUMENTS_MAX = 100;
export const DOCUMENT_TRADES_MAX = 100;
/** What the ante charges for one signature of either kind. */
export const SIGNATURE_GAS: Readonly<Record<KeyKind, number>> = { secp256k1: 1000, ed25519: 590 };

/** Grants of one owner, and what one may name: a trading desk, not a directory. */
export const GRANTS_PER_OWNER_MAX = 32;
export const GRANT_SUBACCOUNTS_MAX = 32;
export const GRANT_MARKETS_MAX = 32;
/** A forgotten key stops within a year. */
export const GRANT_AHEAD_MAX_MS: number = 366 * 86_400_000;

/** Orders walked for one premium reading; a book thinner than that counts as without depth. */
export const IMPACT_STEPS_MAX = 2000;
/** Hours of funding rates kept in state. */
export const FUNDING_HISTORY_MAX = 24;

/** Days before today whose volume makes a tier. */
export const VOLUME_DAYS = 30;
/** Bound of every kept volume: what fits 63 bits is nine trillion units, more than any owner trades. */
export const TRADED_QUANTA_MAX: bigint = (1n << 63n) - 1n;
export const FEE_TIERS_MAX = 16;
/** Half of a fee to whoever brought the taker, and half of it off, leave a quarter for the venue. */
export const REFERRAL_PART_MAX_PPM = 500_000;
/** 1 %: beyond it a builder is a broker who should settle with its clients. */
export const BUILDER_FEE_CEILING_PPM = 10_000;
/** Builders that one owner approves of at a time. */
export const BUILDERS_PER_OWNER_MAX = 32;
export const ACTIONS_MAX: bigint = 1n << 53n;
/** Reduce-only orders beyond the action limit, as far as they do not double it: enough to leave any position. */
export const REDUCE_ONLY_ACTIONS = 100_000n;
export const TRICKLE_MAX_MS = 86_400_000n;
/** Orders that a measurement of depth looks at: some 10 µs. */
export const DEPTH_ORDERS_MAX = 512;

/** How long a perpetual is close-only before the authority may settle it: time to leave it, or what is hedged with it, by trading. Whoever decides about it takes days. */
export const DELISTING_NOTICE_MS = 3_600_000;

/**
 * What a cancel that waits for its round pays for each order it may reach: as much as a cancel of everything pays per order where it is done at once, margin and all
 * (`node/app/cancel-gas.test.ts`).
 */
export const COLLECTED_CANCEL_GAS = 7_000;
/** What an order of a round pays when it is accepted for what its round does with it without gas: its entry into the book (`node/app/round-gas.test.ts`). */
export const COLLECTED_ORDER_GAS = 6_500;
/**
 * Orders of a market that one round takes in; what is more waits for the next, what waits longest first. Two blocks of a new network's gas (500 million) bring less: 37,000, or 48,000
 * that only reduce. For networks whose blocks hold more: half a second of entries.
 */
export const ROUND_ORDERS_MAX = 65_536;
/** What ends sooner is not named in inclusion lists: leaving it out once must not end it, and a block takes no more than a few seconds. */
export const LISTED_LIFE_MS = 10_000;

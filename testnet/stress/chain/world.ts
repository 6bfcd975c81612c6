/** The laboratory's chain as it stands before a tape begins: accounts, genesis, the vault's capital. */
import type { FinalizeBlockResponse } from "@keel/consensus/host/ports";
import { type AccountId, accountId } from "@keel/modules/kit/account-id";
import { createAddresses } from "@keel/modules/kit/addresses";
import { accountText } from "@keel/modules/margin/events";
import { defaultTerms as vaultTerms } from "@keel/modules/vault/params";
import { VAULT_ADDRESS } from "@keel/modules/vault/state";
import { storeNames } from "@keel/node/app/app";
import { TestChain } from "@keel/node/app/testing/chain";
import { MemoryCommitStore } from "@keel/node/store/memory-commit-store";
import type { DynamicMargin } from "@keel/proto/gen/keel/margin/v1/dynamic";
import type { Params } from "@keel/proto/gen/keel/margin/v1/types";
import type { WaterfallParams } from "@keel/proto/gen/keel/margin/v1/waterfall";
import { MsgDepositToVault, MsgSetVaultMarket } from "@keel/proto/gen/keel/vault/v1/tx";
import { createTraders, type Trader } from "../../bench/trader.ts";
import type { Message } from "../../bench/tx-bytes.ts";
import { FULL_SIZE } from "../agents/depth.ts";
import type { Agent, Opening } from "../agents/population.ts";
import { ATTACKERS_COUNT } from "./attackers.ts";
import type { Brakes } from "./brakes.ts";
import { appState, PREFIX, quantaOf } from "./genesis.ts";
import {
  DENOM,
  FEED_SCALE,
  FEEDS,
  type Listing,
  START_PRICES,
  VOLATILITY_FEED,
} from "./markets.ts";
import { believing, type FeedReport, votesTx } from "./votes.ts";

const CHAIN = { id: "keel-test-1", prefix: PREFIX };
export const GENESIS_MS = 1_790_000_000_000;
/** Quotes and cancels of a maker in one transaction. */
export const GAS_LIMIT = 100_000_000;
/** Until a block's transactions may wait: longer than any halt of a tape. */
const TTL_NS = 3_000_000_000n;

/** What of the modules' own parameters a run changes. */
export interface ChainVariant {
  readonly margin?: Partial<Params>;
  readonly dynamic?: readonly DynamicMargin[];
  readonly drawCapPpm?: number;
  readonly waterfall?: Partial<WaterfallParams>;
  /** Absent: the guard does nothing. */
  readonly brakes?: Brakes | undefined;
  /** Settlement units in the fund beside those of every row. */
  readonly moreFund?: number;
  /** Nobody bids in the liquidation auctions. */
  readonly withoutBidders?: true;
  /** Settlement units in the liquidity vault, which is the backstop; 0: none. */
  readonly vault: number;
}

/** What the laboratory knows of a market: whose path it follows, and what a lot was worth when the tape began. */
export interface Listed {
  readonly underlying: number;
  readonly option: boolean;
  /** Quanta. */
  readonly openedAt: number;
}

export interface World {
  readonly chain: TestChain;
  /** Those who have a will; their places are those of their traders and ids. Everybody else only holds. */
  readonly agents: readonly Agent[];
  readonly listed: ReadonlyMap<number, Listed>;
  /** Of the market, 1 with 2,000 accounts. */
  readonly size: number;
  /** Keepers bid in the liquidation auctions. */
  readonly bidders: boolean;
  /** When the tape begins. */
  readonly beginsMs: number;
  readonly start: {
    readonly openInterest: number;
    readonly collateral: number;
    readonly fundAtStart: number;
  };
  /** What an honest validator says. */
  reports(levels: readonly number[], volatility: number): readonly FeedReport[];
  readonly traders: readonly Trader[];
  readonly ids: readonly AccountId[];
  /** "keel1…/0" of each id. */
  readonly texts: readonly string[];
  readonly firstAttacker: number;
  /** Block time of the next height, set before it is decided. */
  setTime(ms: number): void;
  send(account: number, messages: readonly Message[]): Uint8Array;
  decide(
    reports: (validator: number) => readonly FeedReport[],
    txs: readonly Uint8Array[],
  ): Promise<FinalizeBlockResponse>;
}

function reportsAt(levels: readonly number[], volatility: number): FeedReport[] {
  return [
    ...FEEDS.map((feedId, u) => ({
      feedId,
      mantissa: BigInt(Math.round((START_PRICES[u] ?? 1) * (levels[u] ?? 1) * FEED_SCALE)),
    })),
    { feedId: VOLATILITY_FEED, mantissa: BigInt(Math.round(volatility * FEED_SCALE)) },
  ];
}

export async function openWorld(options: {
  readonly agents: readonly Agent[];
  readonly opening: Opening;
  readonly listings: readonly Listing[];
  readonly fund: number;
  readonly variant: ChainVariant;
}): Promise<World> {
  const { agents, variant, opening } = options;
  const traders = createTraders(agents.length + ATTACKERS_COUNT + 2, "stress", CHAIN, GAS_LIMIT);
  const addresses = traders.map(({ address }) => address);
  const world: World = {
    ...openChain(traders, {
      appState: appState({ ...options, ...variant, addresses }),
      ...{ markets: options.listings.length, holders: [], beginsMs: GENESIS_MS + 10_000 },
    }),
    agents,
    size: agents.length / FULL_SIZE,
    bidders: variant.margin?.ladder !== undefined && variant.withoutBidders !== true,
    listed: new Map(
      options.listings.map(({ underlying, option, openedAt }, i) => [
        i + 1,
        { underlying, option, openedAt: Number(openedAt) },
      ]),
    ),
    start: {
      openInterest: opening.openInterest,
      collateral: agents.reduce((sum, agent) => sum + agent.collateral, 0),
      fundAtStart: options.fund,
    },
    reports: reportsAt,
    firstAttacker: agents.length,
  };
  await world.chain.start();
  const calm = (): FeedReport[] =>
    reportsAt(
      START_PRICES.map(() => 1),
      0.6,
    );
  world.setTime(GENESIS_MS + 1_000);
  await world.decide(() => [], []);
  world.setTime(GENESIS_MS + 2_000);
  const opened = await world.decide(calm, vaultOpening(world, options));
  const refused = opened.txResults.find(({ code }) => code !== 0);
  if (refused !== undefined) throw new Error(`setting up the vault: ${refused.log}`);
  return world;
}

/** Its capital, and what it quotes: it is the backstop of the perpetuals. */
function vaultOpening(
  world: World,
  options: { readonly listings: readonly Listing[]; readonly variant: ChainVariant },
): Uint8Array[] {
  if (options.variant.vault === 0) return [];
  const [depositor, authority] = [world.traders.length - 2, world.traders.length - 1];
  const sender = (world.traders[depositor] as Trader).address;
  const amount = `${quantaOf(options.variant.vault)}`;
  const deposit = MsgDepositToVault.fromPartial({ sender, denom: DENOM, amount });
  const terms = { ...vaultTerms(), capitalPpm: 450_000n };
  return [
    world.send(depositor, [
      {
        typeUrl: "/keel.vault.v1.MsgDepositToVault",
        value: MsgDepositToVault.encode(deposit).finish(),
      },
    ]),
    ...options.listings
      .filter(({ option }) => !option)
      .map(({ market }) => {
        const value = MsgSetVaultMarket.fromPartial({
          authority: (world.traders[authority] as Trader).address,
          market: market.symbol,
          terms,
        });
        return world.send(authority, [
          {
            typeUrl: "/keel.vault.v1.MsgSetVaultMarket",
            value: MsgSetVaultMarket.encode(value).finish(),
          },
        ]);
      }),
  ];
}

/** A chain whose accounts the laboratory sends for, beside those that only hold. */
export function openChain(
  traders: readonly Trader[],
  genesis: {
    readonly appState: Record<string, unknown>;
    readonly markets: number;
    readonly holders: readonly AccountId[];
    readonly beginsMs: number;
    readonly initialHeight?: number;
  },
): Omit<World, "agents" | "bidders" | "listed" | "size" | "start" | "reports" | "firstAttacker"> {
  const first = genesis.initialHeight ?? 1;
  const times = new Map<number, bigint>();
  const genesisNs = BigInt(genesis.beginsMs - 10_000) * 1_000_000n;
  const chain: TestChain = new TestChain({
    store: new MemoryCommitStore({ stores: storeNames }),
    ...{ accounts: 0, extensionsFrom: first, verifier: believing(), initialHeight: first },
    clock: (height) => times.get(height) ?? genesisNs,
    appState: genesis.appState,
  });
  const addresses = createAddresses(PREFIX);
  const own = traders.map(({ address }) => accountId(addresses.parse(address), 0));
  // The vault keeps a sub-account of its own address for what is idle, and one per market.
  const vaults = Array.from({ length: genesis.markets + 1 }, (_, i) => accountId(VAULT_ADDRESS, i));
  const ids = [...own, ...vaults, ...genesis.holders];
  let sent = 0n;
  return {
    chain,
    traders,
    ids,
    texts: ids.map((id) => accountText(addresses, id)),
    beginsMs: genesis.beginsMs,
    setTime: (ms) => void times.set(chain.height + 1, BigInt(ms) * 1_000_000n),
    send(account, messages) {
      const nowNs = times.get(chain.height + 1) ?? chain.timeNs(chain.height);
      return (traders[account] as Trader).sign(messages, nowNs + TTL_NS + sent++);
    },
    decide(reports, txs) {
      // The first block has no commit before it.
      const oracle = chain.height < first ? [] : [votesTx(chain, reports)];
      return chain.decide([...oracle, ...txs]);
    },
  };
}

/** A copy of somebody's chain as the laboratory's: its accounts only hold, makers and keepers are added, the authority's key is ours. */
import { type AccountId, accountId, ownerOf } from "@keel/modules/kit/account-id";
import { createAddresses } from "@keel/modules/kit/addresses";
import { VAULT_ADDRESS } from "@keel/modules/vault/state";
import { equalBytes } from "@keel/proto/bytes/compare";
import { createTraders, type Trader } from "../../bench/trader.ts";
import { FULL_SIZE } from "../agents/depth.ts";
import { type Agent, populate } from "../agents/population.ts";
import { see, UNIT } from "./books.ts";
import { PREFIX, quantaOf } from "./genesis.ts";
import { InputError, readJson } from "./input.ts";
import { DENOM } from "./markets.ts";
import { deposit } from "./orders.ts";
import type { FeedReport } from "./votes.ts";
import { GAS_LIMIT, type Listed, openChain, type World } from "./world.ts";

/** What of an export's app_state is looked into; everything else goes through as it is. */
interface State {
  readonly auth: { readonly bech32_prefix?: string; readonly accounts: readonly AuthAccount[] };
  readonly bank: { readonly balances: readonly unknown[] };
  readonly oracle: {
    readonly params: object;
    readonly feeds: readonly { readonly id: number; readonly symbol: string }[];
    readonly prices?: readonly {
      readonly feed_id: number;
      readonly mantissa: string;
      readonly time_ns?: string;
    }[];
  };
  readonly insurance: { readonly params: object; readonly funds: readonly Fund[] };
  readonly margin: {
    readonly params: { readonly settlement_denom?: string };
    readonly accounts?: readonly {
      readonly id: { readonly owner: string; readonly number?: number };
    }[];
  };
  readonly derivatives: {
    readonly params: object;
    readonly markets?: readonly { readonly market: { readonly id: number } }[];
  };
  readonly vault: { readonly params: object };
  readonly guard?: { readonly params: object };
}

interface AuthAccount {
  readonly account_number?: string;
}

interface Fund {
  readonly denom: string;
  readonly balance?: string;
}

interface Document {
  readonly initial_height?: string;
  readonly genesis_time?: string;
  readonly app_state: State;
}

export interface ExportedWorld extends World {
  /** Its place among the traders. */
  readonly authority: number;
}

export function readExport(file: string): Document {
  const document = readJson(file) as Partial<Document>;
  const { app_state: state } = document;
  if (state?.margin === undefined || state.derivatives === undefined)
    throw new InputError(
      `${file}: expected a genesis document with app_state, as keeld export prints it`,
    );
  if ((state.auth.bech32_prefix ?? PREFIX) !== PREFIX)
    throw new InputError(`${file}: expected the address prefix ${PREFIX}`);
  if ((state.margin.params.settlement_denom ?? "") !== DENOM)
    throw new InputError(`${file}: expected ${DENOM} as settlement asset`);
  return { ...document, app_state: state };
}

export async function openExported(document: Document, seed: number): Promise<ExportedWorld> {
  const { app_state: state } = document;
  const agents = populate(FULL_SIZE, seed)
    .filter(({ role }) => role === "maker" || role === "keeper")
    .map((agent, index): Agent => ({ ...agent, index }));
  const first =
    1 + Math.max(-1, ...state.auth.accounts.map((one) => Number(one.account_number ?? 0)));
  const traders = createTraders(first + agents.length + 1, "laboratory", LAB, GAS_LIMIT).slice(
    first,
  );
  const height = Number(document.initial_height ?? "1");
  const holders = holdersOf(state);
  const opened = openChain(traders, {
    appState: withLaboratory(state, traders, first, agents),
    markets: Math.max(0, ...(state.derivatives.markets ?? []).map(({ market }) => market.id)),
    ...{ holders, beginsMs: lastMs(document) + 10_000, initialHeight: height },
  });
  await opened.chain.start();
  opened.setTime(opened.beginsMs - 5_000);
  await opened.decide(() => [], []);
  const reports = reportsOf(state);
  const deposits = agents.map(({ index, collateral }) => {
    const { address } = traders[index] as Trader;
    return opened.send(index, [deposit(address, quantaOf(collateral))]);
  });
  opened.setTime(opened.beginsMs - 4_000);
  await opened.decide(() => reports([1, 1], QUOTED), deposits);
  const listed = listedOf(opened);
  return {
    ...opened,
    ...{
      agents,
      listed,
      reports,
      size: 1,
      firstAttacker: traders.length,
      authority: agents.length,
    },
    // A proposal may turn the auctions on; without them bids are refused.
    bidders: true,
    start: startOf(state, opened),
  };
}

const LAB = { id: "keel-test-1", prefix: PREFIX };
const QUOTED = 0.6;

/** The latest time the state knows. */
function lastMs({ app_state: { oracle }, genesis_time: genesis }: Document): number {
  const times = (oracle.prices ?? []).map(({ time_ns: ns }) =>
    Number(BigInt(ns ?? "0") / 1_000_000n),
  );
  return Math.max(Date.parse(genesis ?? "1970-01-01T00:00:00Z"), ...times);
}

function holdersOf({ margin }: State): AccountId[] {
  const addresses = createAddresses(PREFIX);
  return (
    (margin.accounts ?? [])
      .map(({ id }) => accountId(addresses.parse(id.owner), id.number ?? 0))
      // The vault's own are asked for in any case.
      .filter((id) => !equalBytes(ownerOf(id), VAULT_ADDRESS))
  );
}

function withLaboratory(
  state: State,
  traders: readonly Trader[],
  firstNumber: number,
  agents: readonly Agent[],
): Record<string, unknown> {
  const authority = (traders.at(-1) as Trader).address;
  const params = <T extends { readonly params: object }>(module: T): T => ({
    ...module,
    params: { ...module.params, authority },
  });
  const { supply: _, ...bank } = state.bank as State["bank"] & { readonly supply?: unknown };
  return {
    ...state,
    auth: {
      ...state.auth,
      bech32_prefix: undefined,
      accounts: [
        ...state.auth.accounts,
        ...traders.map(({ address }, i) => ({
          "@type": "/cosmos.auth.v1beta1.BaseAccount",
          ...{ address, account_number: `${firstNumber + i}`, sequence: "0" },
        })),
      ],
    },
    bank: {
      ...bank,
      balances: [
        ...state.bank.balances,
        ...traders.map(({ address }, i) => {
          const wealth = quantaOf(agents[i]?.collateral ?? 1);
          return { address, coins: [{ denom: DENOM, amount: `${wealth}` }] };
        }),
      ],
    },
    // The copy has validators of its own.
    oracle: { ...params(state.oracle), validator_sets: [] },
    insurance: params(state.insurance),
    margin: params(state.margin),
    derivatives: params(state.derivatives),
    vault: params(state.vault),
    ...(state.guard === undefined ? {} : { guard: params(state.guard) }),
  };
}

/** Feeds follow the paths by their symbols: quoted volatility its own, BTC the first, everything else the second. */
function reportsOf({ oracle }: State): World["reports"] {
  const feeds = oracle.feeds.flatMap(({ id, symbol }) => {
    const price = oracle.prices?.find((one) => one.feed_id === id);
    return price === undefined ? [] : [{ id, symbol, last: Number(price.mantissa) }];
  });
  return (levels, volatility) =>
    feeds.map(({ id, symbol, last }): FeedReport => {
      const path = symbol.startsWith("BTC") ? levels[0] : levels[1];
      const level = symbol.includes(".VOL") ? volatility / QUOTED : (path ?? 1);
      return { feedId: id, mantissa: BigInt(Math.max(1, Math.round(last * level))) };
    });
}

type Opened = ReturnType<typeof openChain>;

function listedOf({ chain, ids }: Opened): Map<number, Listed> {
  const listed = new Map<number, Listed>();
  for (const [id, { instrument, mark }] of see(chain.app, ids.slice(0, 0)).markets) {
    if (instrument.status !== "active" || !mark.fresh) continue;
    listed.set(id, {
      underlying: instrument.market.baseAsset === "BTC" ? 0 : 1,
      option: instrument.market.linearPerpetual === undefined,
      openedAt: Number(mark.quantaPerLot),
    });
  }
  return listed;
}

function startOf({ insurance }: State, { chain, ids }: Opened): World["start"] {
  const seen = see(chain.app, ids);
  let [openInterest, collateral] = [0, 0];
  for (const one of seen.accounts) {
    collateral += Number(one?.account.collateral ?? 0n) / UNIT;
    for (const { market, lots } of one?.account.positions ?? [])
      if (lots > 0n)
        openInterest += Number(lots * (seen.markets.get(market)?.mark.notionalPerLot ?? 0n)) / UNIT;
  }
  const fund = insurance.funds.find(({ denom }) => denom === DENOM)?.balance ?? "0";
  return { openInterest, collateral, fundAtStart: Number(fund) / UNIT };
}

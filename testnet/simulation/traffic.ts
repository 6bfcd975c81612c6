/** One block's transactions: drawn by weight from the modules' simulated operations and this folder's, signed, and offered as a mempool would take them. */
import type { Instrument } from "@keel/modules/derivatives/instruments";
import type { Mark } from "@keel/modules/derivatives/marking/mark";
import { createRandom, type Random } from "@keel/modules/derivatives/random";
import { simulateMessage } from "@keel/modules/derivatives/simulate";
import type { SimulatedAccount, SimulatedMarket } from "@keel/modules/derivatives/simulate-kit";
import type { ReadContext } from "@keel/modules/kit/context";
import type { Keel } from "@keel/node/app/app";
import type { KeelApplication } from "@keel/node/app/application";
import { MsgDeposit } from "@keel/proto/gen/keel/margin/v1/tx";
import {
  type Agent,
  createAgents,
  type Signer,
  signedDocument,
  type TxSigner,
  transaction,
  walletsOf,
} from "./agents.ts";
import { authorityAct, openingActs } from "./authority.ts";
import { collateralOperations } from "./collateral-operations.ts";
import { custodyOperations } from "./custody-operations.ts";
import { edgeOperations } from "./edge-operations.ts";
import { DENOM, depositOf } from "./genesis.ts";
import { insuranceOperations } from "./insurance-operations.ts";
import { ledgerOperations } from "./ledger-operations.ts";
import type { At, Planned, PlannedMessage, SimulationOperation } from "./operation.ts";
import { orderOperations } from "./order-operations.ts";
import { vaultOperations } from "./vault-operations.ts";
import { wrongOperations } from "./wrong-operations.ts";

/** Agents that trade the same few markets, so that they meet, know and cross each other. */
const COHORT = 6;
/** Each cohort looks at one market of so many. */
const SHARES = 16;
const BUSY_BLOCKS = 20;
const NEWCOMERS = 50;
const GAS_LIMIT = 20_000_000;
const TTL_NS = 500_000_000_000n;

export interface Sent {
  readonly operation: string;
  readonly types: readonly string[];
  readonly market: string;
  readonly bytes: Uint8Array;
}

export const ownOperations: readonly SimulationOperation[] = [
  ...ledgerOperations,
  ...edgeOperations,
  ...orderOperations,
  ...vaultOperations,
  ...custodyOperations,
  ...collateralOperations,
  ...insuranceOperations,
  ...wrongOperations,
];
const OWN_TOTAL = ownOperations.reduce((sum, { weight }) => sum + weight, 0);
/** Of those drawn from the modules, in the same measure: what a module's own simulation sums to, about. */
const MODULES_TOTAL = 560;

function firstDeposits(agent: Agent): Planned {
  const amount = `${depositOf(agent) * 1_000_000n}`;
  const messages = [0, 1].map((subaccount) => ({
    typeUrl: "/keel.margin.v1.MsgDeposit",
    value: MsgDeposit.fromPartial({
      sender: agent.account.address,
      subaccount,
      denom: DENOM,
      amount,
    }),
  }));
  return { messages };
}

/** Markets as of the last block, each asked about once. */
class Board {
  readonly ids: readonly number[];
  readonly instruments: readonly Instrument[];
  readonly #terms = new Map<number, Instrument>();
  readonly #marks = new Map<number, Mark | undefined>();

  constructor(keel: Keel, ctx: ReadContext) {
    this.ids = keel.derivatives.marketIds(ctx);
    for (const id of this.ids) {
      const terms = keel.derivatives.terms(ctx, id);
      if (terms === undefined) continue;
      this.#terms.set(id, terms);
      this.#marks.set(id, keel.derivatives.mark(ctx, id));
    }
    this.instruments = [...this.#terms.values()];
  }

  /** What one cohort looks at: the perpetuals that are everybody's, and its share of the rest. */
  seenBy(cohort: number): Pick<Keel["derivatives"], "marketIds" | "terms" | "mark"> {
    const seen = this.ids.filter((id) => id % SHARES === cohort % SHARES || id <= 3);
    return {
      marketIds: () => seen,
      terms: (_ctx, id) => this.#terms.get(id),
      mark: (_ctx, id) => this.#marks.get(id),
    };
  }

  market(id: number): SimulatedMarket | null {
    const [instrument, mark] = [this.#terms.get(id), this.#marks.get(id)];
    if (instrument === undefined || mark === undefined) return null;
    return { instrument, markTicks: mark.ticks, notionalPerLot: mark.notionalPerLot };
  }
}

export class Traffic {
  readonly agents: readonly Agent[];
  readonly authority: Signer;
  readonly #random: Random;
  readonly #wallets: ReturnType<typeof walletsOf>;
  readonly #signers = new Map<string, Signer>();
  /** Timeouts of unordered transactions are their nonces, so each is another. */
  #serial = 0n;
  #replayable: Sent | null = null;

  constructor(agents: number, seed: number) {
    const [authority, ...rest] = createAgents(agents + 1).reverse();
    if (authority === undefined) throw new Error("expected at least one agent");
    this.agents = rest.reverse();
    this.authority = authority.account;
    this.#random = createRandom(seed);
    this.#wallets = walletsOf(this.agents);
    for (const { account, tradingKey } of [...this.agents, authority]) {
      this.#signers.set(account.address, account);
      this.#signers.set(tradingKey.address, tradingKey);
    }
  }

  /** What is offered for the next block. */
  next(app: KeelApplication, count: number): Sent[] {
    return app.look((keel, ctx) => {
      const board = new Board(keel, ctx);
      const sent: Sent[] = [];
      const push = (operation: string, planned: Planned | null, market = ""): void => {
        const signed = planned === null ? null : this.#signed(keel, ctx, planned);
        if (planned === null || signed === null) return;
        const types = planned.messages.map(({ typeUrl }) => typeUrl);
        sent.push({ operation, types, market, bytes: signed });
      };
      if (ctx.header.height <= 1) {
        push("open the exchange", { messages: openingActs(this.authority.address) });
        return sent;
      }
      this.#newcomers(ctx.header.height, (agent) => push("first deposits", firstDeposits(agent)));
      const scene = { keel, ctx, random: this.#random, authority: this.authority.address };
      const act = authorityAct({ ...scene, instruments: board.instruments });
      if (act !== null) push("authority", { messages: [act] });
      for (let i = 0; i < count; i++) this.#draw(keel, ctx, board, push);
      if (this.#replayable !== null && this.#random.below(10) === 0)
        sent.push({ ...this.#replayable, operation: "the same transaction again" });
      this.#replayable = sent[0] ?? null;
      return sent;
    });
  }

  /** So many agents enter the market in each block, until all have. */
  #newcomers(height: number, enter: (agent: Agent) => void): void {
    const from = (height - 2) * NEWCOMERS;
    this.agents.slice(Math.max(0, from), Math.max(0, from + NEWCOMERS)).forEach(enter);
  }

  #draw(
    keel: Keel,
    ctx: ReadContext,
    board: Board,
    push: (operation: string, planned: Planned | null, market?: string) => void,
  ): void {
    const random = this.#random;
    const cohorts = Math.ceil(this.agents.length / COHORT);
    // Everybody now and then, and one cohort at a time much: who comes back meets what it has left.
    const busy = Math.floor(ctx.header.height / BUSY_BLOCKS) % cohorts;
    const cohort = random.below(2) === 0 ? busy : random.below(cohorts);
    const members = this.agents.slice(cohort * COHORT, (cohort + 1) * COHORT);
    const seen = board.seenBy(cohort);
    let dice = random.below(OWN_TOTAL + MODULES_TOTAL);
    if (dice >= OWN_TOTAL) {
      const accounts = members.flatMap(({ account: { address: owner } }) =>
        [0, 1].map((subaccount): SimulatedAccount => ({ owner, subaccount })),
      );
      const drawn = simulateMessage(ctx, seen, random, accounts, this.#wallets);
      if (drawn === null) return;
      const { market = "" } = drawn.message.value as { readonly market?: string };
      push(
        drawn.operation,
        { messages: [drawn.message] },
        typeof market === "string" ? market : "",
      );
      return;
    }
    const ids = seen.marketIds(ctx);
    const market = board.market(ids[random.below(ids.length)] ?? 0);
    const [agent, otherAgent] = [0, 0].map(() => members[random.below(members.length)]);
    if (market === null || agent === undefined || otherAgent === undefined) return;
    const at: At = {
      keel,
      ctx,
      nowMs: Number(ctx.header.timeNs / 1_000_000n),
      random,
      agents: this.agents,
      agent,
      otherAgent,
      account: { owner: agent.account.address, subaccount: random.below(2) },
      other: { owner: otherAgent.account.address, subaccount: random.below(2) },
      market,
      markets: () => board.ids.flatMap((id) => board.market(id) ?? []),
      sign: signedDocument,
    };
    const found = ownOperations.find(({ weight }) => (dice -= weight) < 0);
    if (found !== undefined) push(found.name, found.create(at), market.instrument.symbol);
  }

  /** Null when a signer has no account yet. */
  #signed(keel: Keel, ctx: ReadContext, planned: Planned): Uint8Array | null {
    const encoded = planned.messages.map(({ typeUrl, value }: PlannedMessage) => {
      const route = keel.messages.get(typeUrl);
      if (route === undefined) throw new Error(`no route ${typeUrl}`);
      return { typeUrl, value: route.encode(value), signers: route.signers(value) };
    });
    const addresses = [...new Set(encoded.flatMap(({ signers }) => signers))];
    const signers: TxSigner[] = [];
    for (const address of addresses) {
      const signer = this.#signers.get(address);
      if (signer === undefined) throw new Error(`nobody signs for ${address}`);
      const account = keel.auth.account(ctx, signer.bytes);
      if (account === undefined) return null;
      const sequence = planned.ordered === true ? account.sequence : null;
      signers.push({ signer, accountNumber: Number(account.number), sequence });
    }
    this.#serial++;
    return transaction(encoded, signers, {
      untilNs: planned.ordered === true ? null : ctx.header.timeNs + TTL_NS + this.#serial,
      gasLimit: planned.gasLimit ?? GAS_LIMIT,
    });
  }
}

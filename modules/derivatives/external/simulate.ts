/** Random trades agreed elsewhere, transfers and trading keys, for the simulation: mostly sensible, some wrong on purpose. */
import type {
  OrderDocument,
  PublicKey,
  SignedDocument,
} from "@keel/proto/gen/keel/derivatives/v1/documents";
import {
  DocumentTrade,
  OrderDocument as OrderDocumentCodec,
} from "@keel/proto/gen/keel/derivatives/v1/documents";
import {
  MsgCancelDocuments,
  MsgClearTrades,
  MsgGrantTradingKey,
  MsgPlaceOrder,
  MsgRevokeTradingKey,
  MsgTransferPosition,
  MsgTransferSubaccount,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { ReadContext } from "../../kit/context.ts";
import { formatPrice, formatSize, type Instrument } from "../instruments.ts";
import type { Random } from "../random.ts";
import type { SimulatedAccount, SimulatedMessage } from "../simulate-kit.ts";
import { nowMs } from "../venue.ts";

/** What simulated owners can do off-chain. */
export interface SimulatedWallets {
  sign(owner: string, document: OrderDocument): SignedDocument;
  key(owner: string): PublicKey;
}

export interface ExternalOperation {
  readonly name: string;
  readonly weight: number;
  create(at: {
    readonly ctx: ReadContext;
    readonly random: Random;
    readonly account: SimulatedAccount;
    readonly other: SimulatedAccount;
    readonly instrument: Instrument;
    readonly markTicks: bigint;
    readonly wallets: SimulatedWallets;
  }): SimulatedMessage;
}

type At = Parameters<ExternalOperation["create"]>[0];

const TYPE = "/keel.derivatives.v1.";
const MINUTE_MS = 60_000;
const SALTS = 4;
/** A ported sub-account goes to its number with this bit flipped, and comes back the same way. */
const PORT_BIT = 2;

function expiry(ctx: ReadContext, minutes: number): bigint {
  const now = nowMs(ctx);
  // Whole minutes and few salts, so that documents come back and are filled in parts.
  return BigInt(now - (now % MINUTE_MS) + minutes * MINUTE_MS);
}

function documentOf(at: At, who: SimulatedAccount, side: 1 | 2): OrderDocument {
  const { ctx, random, instrument, markTicks } = at;
  return OrderDocumentCodec.fromPartial({
    chainId: ctx.header.chainId,
    owner: who.owner,
    subaccount: who.subaccount,
    market: instrument.symbol,
    side,
    price: formatPrice(instrument, side === 1 ? markTicks + 200n : markTicks - 200n),
    size: formatSize(instrument, 100n),
    feeMaxPpm: 1000,
    salt: BigInt(random.below(SALTS)),
    expiryMs: expiry(ctx, 1 + random.below(2)),
    reduceOnly: random.below(10) === 0,
  });
}

function clearing(at: At, wrong: boolean): SimulatedMessage {
  const { account, other, wallets, instrument, markTicks, random } = at;
  const buys = wallets.sign(account.owner, documentOf(at, account, 1));
  const document = documentOf(at, other, 2);
  const signed = wallets.sign(other.owner, document);
  // What was signed is another document: true whoever the two are, and whatever they granted each other.
  const sells = wrong ? { ...signed, document: { ...document, salt: document.salt + 1n } } : signed;
  const trade = DocumentTrade.fromPartial({
    seller: 1,
    price: formatPrice(instrument, markTicks + BigInt(random.below(300) - 150)),
    size: formatSize(instrument, BigInt(20 + random.below(40))),
    taker: random.below(2) === 0 ? 1 : 2,
  });
  const value = MsgClearTrades.fromPartial({
    sender: account.owner,
    documents: [buys, sells],
    trades: [trade],
  });
  return { typeUrl: `${TYPE}MsgClearTrades`, value };
}

export const externalOperations: readonly ExternalOperation[] = [
  { name: "external trade", weight: 10, create: (at) => clearing(at, false) },
  { name: "forged document", weight: 2, create: (at) => clearing(at, true) },
  {
    name: "cancel documents",
    weight: 2,
    create(at) {
      const { account, random } = at;
      const value = MsgCancelDocuments.fromPartial({
        sender: account.owner,
        subaccount: account.subaccount,
        documents: [documentOf(at, account, 1)],
        saltBelow: BigInt(random.below(12) === 0 ? 1 : 0),
      });
      return { typeUrl: `${TYPE}MsgCancelDocuments`, value };
    },
  },
  {
    name: "transfer position",
    weight: 3,
    create({ account, other, instrument, random }) {
      const value = MsgTransferPosition.fromPartial({
        fromOwner: account.owner,
        fromSubaccount: account.subaccount,
        toOwner: other.owner,
        toSubaccount: other.subaccount,
        market: instrument.symbol,
        size: random.below(3) === 0 ? "" : formatSize(instrument, 10n),
      });
      return { typeUrl: `${TYPE}MsgTransferPosition`, value };
    },
  },
  {
    name: "transfer sub-account",
    weight: 2,
    create({ account, random }) {
      const [here, there] = [account.subaccount, account.subaccount ^ PORT_BIT];
      const away = random.below(3) === 0;
      const value = MsgTransferSubaccount.fromPartial({
        fromOwner: account.owner,
        fromSubaccount: away ? here : there,
        toOwner: account.owner,
        toSubaccount: away ? there : here,
      });
      return { typeUrl: `${TYPE}MsgTransferSubaccount`, value };
    },
  },
  {
    name: "grant a key",
    weight: 3,
    create({ ctx, account, other, instrument, random, wallets }) {
      const value = MsgGrantTradingKey.fromPartial({
        sender: account.owner,
        key: wallets.key(other.owner),
        subaccounts: [account.subaccount],
        markets: random.below(2) === 0 ? [] : [instrument.symbol],
        notionalPerDay: `${10_000_000_000 * (1 + random.below(20))}`,
        expiryMs: expiry(ctx, 1 + random.below(4)),
      });
      return { typeUrl: `${TYPE}MsgGrantTradingKey`, value };
    },
  },
  {
    name: "trade for another",
    weight: 8,
    create({ account, other, instrument, markTicks, random }) {
      const value = MsgPlaceOrder.fromPartial({
        sender: other.owner,
        owner: account.owner,
        subaccount: account.subaccount,
        market: instrument.symbol,
        side: random.below(2) === 0 ? 1 : 2,
        type: 1,
        price: formatPrice(instrument, markTicks + BigInt(random.below(400) - 200)),
        size: formatSize(instrument, BigInt(10 + random.below(40))),
      });
      return { typeUrl: `${TYPE}MsgPlaceOrder`, value };
    },
  },
  {
    name: "revoke a key",
    weight: 1,
    create({ account, other }) {
      const value = MsgRevokeTradingKey.fromPartial({
        sender: account.owner,
        trader: other.owner,
      });
      return { typeUrl: `${TYPE}MsgRevokeTradingKey`, value };
    },
  },
];

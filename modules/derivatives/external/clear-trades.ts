/**
 * Clearing of trades agreed elsewhere: every document is admitted (live, for this matcher, rightly signed, not cancelled), every trade fits
 * its two documents and its market, then all enter the ledger at once. The caller reverts on refusal, so nothing is half done.
 */
import type { DocumentTrade, SignedDocument } from "@keel/proto/gen/keel/derivatives/v1/documents";
import type {
  MsgClearTrades,
  MsgClearTradesResponse,
} from "@keel/proto/gen/keel/derivatives/v1/tx";
import type { Addresses } from "../../kit/addresses.ts";
import { bytesToKey } from "../../kit/collections/codecs.ts";
import type { WriteContext } from "../../kit/context.ts";
import { ModuleError } from "../../kit/errors.ts";
import { refuse } from "../errors.ts";
import { formatSize, type Instrument } from "../instruments.ts";
import { DOCUMENT_TRADES_MAX, DOCUMENTS_MAX } from "../limits.ts";
import { sideOf } from "../orders/requests.ts";
import { enforceReduceOnly } from "../orders/resting.ts";
import type { MarketId, Trade } from "../ports.ts";
import { closeTurn, openTurn, type Venue } from "../venue.ts";
import { documentHash, isDecimal } from "./document.ts";
import { externalTrade } from "./events.ts";
import { admit, type Party } from "./party.ts";
import { writeRecord } from "./records.ts";
import { questionOf } from "./signed.ts";
import { type CheckedTrade, createTradeCheck } from "./trade-check.ts";

/** Codespace of the refusals that clearing reports. */
const CLEARING_CODESPACE = "margin";

/** Without state. */
export function checkClearTrades(
  { documents, trades }: MsgClearTrades,
  addresses: Addresses,
): void {
  const most = `at most ${DOCUMENTS_MAX} documents and ${DOCUMENT_TRADES_MAX} trades`;
  if (documents.length > DOCUMENTS_MAX || trades.length > DOCUMENT_TRADES_MAX) {
    throw refuse("invalidRequest", `expected ${most}`);
  }
  if (trades.length === 0) throw refuse("invalidRequest", "expected at least one trade");
  const hashes = new Set<string>();
  for (const signed of documents) {
    questionOf(signed, addresses);
    hashes.add(bytesToKey(documentHash(documentOf(signed))));
  }
  if (hashes.size !== documents.length) {
    throw refuse("duplicateDocument", "a document is listed twice");
  }
  const used = new Set<number>();
  for (const trade of trades) {
    checkTrade(trade, documents);
    used.add(trade.buyer).add(trade.seller);
  }
  if (used.size !== documents.length) throw refuse("invalidRequest", "a document without a trade");
}

function documentOf(signed: SignedDocument) {
  if (signed.document === undefined) throw refuse("invalidRequest", "expected a document");
  return signed.document;
}

function checkTrade(trade: DocumentTrade, documents: readonly SignedDocument[]): void {
  const [buyer, seller] = [documents[trade.buyer], documents[trade.seller]];
  if (buyer === undefined || seller === undefined) {
    throw refuse("invalidRequest", "a trade names a document that is not in the list");
  }
  const [buys, sells] = [documentOf(buyer), documentOf(seller)];
  if (
    sideOf(buys.side) !== "buy" ||
    sideOf(sells.side) !== "sell" ||
    buys.market !== sells.market
  ) {
    throw refuse(
      "sidesDoNotMatch",
      "expected a document that buys and one that sells, of one market",
    );
  }
  if (!isDecimal(trade.price) || !isDecimal(trade.size) || sideOf(trade.taker) === null) {
    throw refuse("invalidRequest", "a trade needs price, size and taker");
  }
}

export function clearTrades(
  ctx: WriteContext,
  venue: Venue,
  message: MsgClearTrades,
): MsgClearTradesResponse {
  const parties = message.documents.map((signed) => admit(ctx, venue, signed, message.sender));
  const check = createTradeCheck(ctx, venue);
  const trades = message.trades.map((trade) =>
    check.trade(trade, parties[trade.buyer] as Party, parties[trade.seller] as Party),
  );
  const openInterest = check.openInterest();
  enterLedger(
    ctx,
    venue,
    trades.map(({ trade }) => trade),
  );
  check.requireCaps(openInterest);
  for (const trade of trades) {
    trade.keepFees();
    externalTrade(ctx, venue, trade, message.sender);
  }
  for (const party of parties) {
    const { hash, document, instrument, sizeLots, filledLots } = party;
    writeRecord(ctx, venue, hash, {
      market: instrument.id,
      sizeLots: BigInt(sizeLots),
      filledLots: BigInt(filledLots),
      expiryMs: document.expiryMs,
      cancelled: false,
    });
    party.settleGrant(ctx);
  }
  shrinkReduceOnly(ctx, venue, trades);
  return {
    documents: parties.map(({ hash, instrument, sizeLots, filledLots }) => ({
      document: hash,
      filledSize: formatSize(instrument, filledLots),
      remainingSize: formatSize(instrument, sizeLots - filledLots),
    })),
  };
}

function enterLedger(ctx: WriteContext, venue: Venue, trades: readonly Trade[]): void {
  const result = venue.clearing.clearAll(ctx, trades, []);
  if (result.ok) return;
  const who = venue.accounts.text(result.refused);
  throw new ModuleError(CLEARING_CODESPACE, result.code, `${who}: ${result.reason}`);
}

/** Resting reduce-only orders follow the positions they belong to. */
function shrinkReduceOnly(ctx: WriteContext, venue: Venue, trades: readonly CheckedTrade[]): void {
  const markets = new Map<MarketId, Instrument>();
  for (const { instrument } of trades) markets.set(instrument.id, instrument);
  for (const instrument of markets.values()) {
    const turn = openTurn(ctx, venue, instrument);
    for (const { trade } of trades) {
      if (trade.market !== instrument.id) continue;
      enforceReduceOnly(turn, trade.buyer.account);
      enforceReduceOnly(turn, trade.seller.account);
    }
    closeTurn(turn);
  }
}

/** The client's own gas limits in a market with rounds, against the real application: enough, and low enough for validators to name the transaction. */
import { DirectSecp256k1Wallet } from "@cosmjs/proto-signing";
import type { OrderRequest } from "@keel/client/orders";
import { KeelSigningClient } from "@keel/client/signing-client";
import { FakeNode, type SentTx } from "@keel/client/testing/fake-node";
import { LISTED_GAS_MAX } from "@keel/node/app/limits";
import { roundsMarketState } from "@keel/node/app/testing/auction-load";
import { TestChain } from "@keel/node/app/testing/chain";
import { isNamed } from "@keel/node/app/testing/listing-chain";
import { openMarket, priceTx } from "@keel/node/app/testing/market-load";
import { sha256 } from "@keel/proto/bytes/sha256";
import { utf8ToBytes } from "@keel/proto/bytes/utf8";
import { KeyType } from "@keel/proto/gen/keel/derivatives/v1/documents";
import { QueryMarketRequest, QueryMarketsRequest } from "@keel/proto/gen/keel/derivatives/v1/query";
import { MsgBatchOrdersResponse, MsgGrantTradingKey } from "@keel/proto/gen/keel/derivatives/v1/tx";
import { QueryAccountRequest } from "@keel/proto/gen/keel/margin/v1/query";
import { TxMsgData } from "cosmjs-types/cosmos/base/abci/v1beta1/abci";
import { afterEach, beforeEach, expect, it } from "vitest";

const MARKET = "BTC-PERP";
/** A maker's replacement of all its quotes, 32 characters a name. */
const QUOTES = 50;

let node: FakeNode;
let url: string;
let client: KeelSigningClient | undefined;

beforeEach(async () => {
  node = new FakeNode();
  url = await node.start();
});

afterEach(async () => {
  client?.disconnect();
  await node.stop();
});

async function roundsChain(): Promise<TestChain> {
  const chain = new TestChain({ extensionsFrom: 1, accounts: 2, appState: roundsMarketState() });
  await openMarket(chain, "500000000");
  return chain;
}

/** The node answers what the chain answers now. */
async function answer(chain: TestChain, owner: string): Promise<void> {
  const questions = [
    [
      "/keel.derivatives.v1.Query/Markets",
      QueryMarketsRequest.encode(QueryMarketsRequest.fromPartial({})),
    ],
    ["/keel.derivatives.v1.Query/Market", QueryMarketRequest.encode({ market: MARKET })],
    ["/keel.margin.v1.Query/Account", QueryAccountRequest.encode({ owner, subaccount: 0 })],
  ] as const;
  for (const [path, request] of questions) {
    const asked = { path, data: request.finish(), height: 0, prove: false };
    const { code, log, value } = await chain.app.query(asked);
    if (code !== 0) throw new Error(`${path}: ${log}`);
    node.queries.set(path, () => value);
  }
}

/** With the key of the chain's account. */
function walletOf(account: number): Promise<DirectSecp256k1Wallet> {
  return DirectSecp256k1Wallet.fromKey(sha256(utf8ToBytes(`account ${account}`)), "keel");
}

async function connect(account: number): Promise<KeelSigningClient> {
  const signer = await walletOf(account);
  const options = { streaming: false, unordered: true };
  client = await KeelSigningClient.connectWithSigner(url, signer, options);
  return client;
}

function quotes(from: number): OrderRequest[] {
  return Array.from({ length: QUOTES }, (_, n) => ({
    market: MARKET,
    side: n % 2 === 0 ? "sell" : "buy",
    price: n % 2 === 0 ? "66000" : "64000",
    size: "0.001",
    clientId: nameOf(from + n),
  }));
}

function nameOf(n: number): string {
  return `quote-${n}`.padEnd(32, "x");
}

/** What the client sent, in the next block, whose round it does not take part in. */
async function run(chain: TestChain, sender: number, { authInfo, body }: SentTx) {
  const gas = Number(authInfo.fee?.gasLimit);
  const tx = chain.account(sender).sign(body.messages, {
    ...{ gas, unorderedUntilNs: chain.timeNs() + 300_000_000_000n },
  });
  const named = isNamed(chain, tx);
  const { txResults } = await chain.decide([priceTx(chain), tx]);
  const result = txResults[1];
  if (result === undefined) throw new Error("expected a result");
  const [response] = TxMsgData.decode(result.data).msgResponses;
  const { cancels, orders } = MsgBatchOrdersResponse.decode(response?.value ?? new Uint8Array(0));
  const codes = new Set([...cancels, ...orders].map(({ code }) => code));
  return { gas, used: Number(result.gasUsed), named, codes: [...codes], log: result.log };
}

for (const [who, sender] of [
  ["an owner", 0],
  ["a trading key", 1],
] as const)
  it(`a batch of 50 cancels and 50 quotes of ${who}, made with defaults, is named and has gas enough`, async () => {
    const chain = await roundsChain();
    const [owner, key] = [chain.account(0), chain.account(1)];
    const [granted] = await (await walletOf(1)).getAccounts();
    const grant = MsgGrantTradingKey.fromPartial({
      sender: owner.address,
      key: { type: KeyType.KEY_TYPE_SECP256K1, key: granted?.pubkey ?? new Uint8Array(0) },
      subaccounts: [0],
      notionalPerDay: "100000000000000",
      expiryMs: chain.timeNs() / 1_000_000n + 86_400_000n,
    });
    const message = {
      typeUrl: "/keel.derivatives.v1.MsgGrantTradingKey",
      value: MsgGrantTradingKey.encode(grant).finish(),
    };
    await chain.decide([priceTx(chain), owner.sign([message])]);
    const trader = sender === 0 ? {} : { owner: owner.address };
    await answer(chain, owner.address);
    const maker = await connect(sender);
    expect(maker.address).toBe((sender === 0 ? owner : key).address);

    const send = async (from: number, replaces: boolean) => {
      const cancels = replaces
        ? quotes(from - QUOTES).map(({ clientId = "" }) => ({ market: MARKET, clientId }))
        : [];
      await maker.submit([
        await maker.messages.batch({ cancels, orders: quotes(from), ...trader }),
      ]);
      return await run(chain, sender, node.sent.at(-1) as SentTx);
    };
    const first = await send(0, false);
    await answer(chain, owner.address);
    await chain.decide([priceTx(chain)]);
    const second = await send(QUOTES, true);
    for (const sent of [first, second]) {
      expect(sent).toMatchObject({ log: "", codes: [0], named: true });
      expect(sent.used).toBeLessThan(sent.gas);
      expect(sent.gas).toBeLessThanOrEqual(Number(LISTED_GAS_MAX));
    }
  });

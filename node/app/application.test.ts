import { QueryBalanceRequest, QueryBalanceResponse } from "cosmjs-types/cosmos/bank/v1beta1/query";
import { TxMsgData } from "cosmjs-types/cosmos/base/abci/v1beta1/abci";
import { describe, expect, it } from "vitest";
import { TestChain } from "./testing/chain.ts";

async function balance(chain: TestChain, address: string, denom: string, height = 0) {
  const response = await chain.app.query({
    path: "/cosmos.bank.v1beta1.Query/Balance",
    data: QueryBalanceRequest.encode({ address, denom }).finish(),
    height,
    prove: false,
  });
  expect(response.log).toBe("");
  return QueryBalanceResponse.decode(response.value).balance?.amount;
}

describe("the application", () => {
  it("runs a transfer signed by stock CosmJS from CheckTx to the query of its result", async () => {
    const chain = await new TestChain().start();
    const [alice, bob] = [chain.account(0), chain.account(1)];
    const tx = alice.send(bob, "5uusdc", { fee: [{ denom: "ukeel", amount: "2000" }] });
    const check = await chain.app.checkTx(tx, "new");
    expect(check).toMatchObject({ code: 0, log: "", sender: `${alice.address}/0` });
    const txs = await chain.prepare([tx]);
    expect(txs).toEqual([tx]);
    expect(await chain.app.processProposal(chain.proposed(txs))).toBe(true);
    const { txResults } = await chain.decide(txs);
    const [result] = txResults;
    expect(result).toMatchObject({ code: 0, log: "", codespace: "" });
    expect(
      TxMsgData.decode(result?.data as Uint8Array).msgResponses.map((one) => one.typeUrl),
    ).toEqual(["/cosmos.bank.v1beta1.MsgSendResponse"]);
    expect(await balance(chain, bob.address, "uusdc")).toBe("1000000005");
    expect(await balance(chain, alice.address, "ukeel")).toBe("999998000");
  });
});

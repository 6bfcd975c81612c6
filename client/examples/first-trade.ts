import { KeelSigningClient } from "@keel/client/signing-client";
import { walletFromMnemonic } from "@keel/client/wallet";

const mnemonic = "bench tray appear mix ivory knock car huge gap toss rural just";
const { signer } = await walletFromMnemonic(mnemonic);
const keel = await KeelSigningClient.connectWithSigner("http://127.0.0.1:26657", signer);
await keel.faucet("http://127.0.0.1:8000");
await keel.deposit("1000");
const order = await keel.place({ market: "BTC-USD-PERP", side: "buy", size: "0.01" });
console.log(order.status, order.filledSize, "at", order.averagePrice, await keel.positions());
keel.disconnect();

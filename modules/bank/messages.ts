/** MsgSend and MsgMultiSend. */
import type { Addresses } from "../kit/addresses.ts";
import type { MessageRoute } from "../kit/module.ts";
import { onMessage } from "../kit/module.ts";
import { sdkError } from "../kit/sdk-errors.ts";
import type { WireCoin } from "./coins.ts";
import { formatCoins, parseCoins } from "./coins.ts";
import type { BankKeeper } from "./keeper.ts";
import { MsgMultiSend, MsgMultiSendResponse, MsgSend, MsgSendResponse } from "./types.ts";

/** Bounds the work of one MsgMultiSend. */
const OUTPUTS_MAX = 500;

function aminoCoin(coin: WireCoin): unknown {
  return { amount: coin.amount, denom: coin.denom };
}

function aminoSide(side: {
  readonly address: string;
  readonly coins: readonly WireCoin[];
}): unknown {
  return { address: side.address, coins: side.coins.map(aminoCoin) };
}

export function bankMessages(keeper: BankKeeper, addresses: Addresses): MessageRoute[] {
  const recipient = (text: string): Uint8Array => {
    const to = addresses.parse(text);
    if (keeper.isBlocked(to))
      throw sdkError("unauthorized", `${text} is not allowed to receive funds`);
    return to;
  };

  const send = onMessage({
    typeUrl: "/cosmos.bank.v1beta1.MsgSend",
    request: MsgSend,
    response: MsgSendResponse,
    signers: (message) => [message.fromAddress],
    amino: (message) => ({
      type: "cosmos-sdk/MsgSend",
      value: {
        from_address: message.fromAddress,
        to_address: message.toAddress,
        amount: message.amount.map(aminoCoin),
      },
    }),
    validate(message) {
      addresses.parse(message.fromAddress);
      addresses.parse(message.toAddress);
      if (parseCoins(message.amount).length === 0)
        throw sdkError("invalidCoins", formatCoins(message.amount));
    },
    handle(ctx, message) {
      keeper.send(
        ctx,
        addresses.parse(message.fromAddress),
        recipient(message.toAddress),
        parseCoins(message.amount),
      );
      return MsgSendResponse.fromPartial({});
    },
  });

  const multiSend = onMessage({
    typeUrl: "/cosmos.bank.v1beta1.MsgMultiSend",
    request: MsgMultiSend,
    response: MsgMultiSendResponse,
    signers: (message) => message.inputs.slice(0, 1).map((input) => input.address),
    amino: (message) => ({
      type: "cosmos-sdk/MsgMultiSend",
      value: { inputs: message.inputs.map(aminoSide), outputs: message.outputs.map(aminoSide) },
    }),
    validate(message) {
      const [input, ...others] = message.inputs;
      if (input === undefined) throw sdkError("invalidRequest", "no inputs to send transaction");
      if (others.length > 0) throw sdkError("invalidRequest", "multiple senders not allowed");
      if (message.outputs.length === 0 || message.outputs.length > OUTPUTS_MAX) {
        throw sdkError(
          "invalidRequest",
          `expected 1 to ${OUTPUTS_MAX} outputs, got ${message.outputs.length}`,
        );
      }
      addresses.parse(input.address);
      const left = new Map(parseCoins(input.coins).map((coin) => [coin.denom, coin.amount]));
      for (const output of message.outputs) {
        addresses.parse(output.address);
        for (const { denom, amount } of parseCoins(output.coins))
          left.set(denom, (left.get(denom) ?? 0n) - amount);
      }
      for (const rest of left.values()) {
        if (rest !== 0n) throw sdkError("invalidCoins", "sum inputs != sum outputs");
      }
    },
    handle(ctx, message) {
      const [input] = message.inputs;
      if (input === undefined) throw sdkError("invalidRequest", "no inputs to send transaction");
      const from = addresses.parse(input.address);
      for (const output of message.outputs)
        keeper.send(ctx, from, recipient(output.address), parseCoins(output.coins));
      return MsgMultiSendResponse.fromPartial({});
    },
  });

  return [send, multiSend];
}

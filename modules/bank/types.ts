/** The SDK's bank messages under the names this module uses. */
export { Metadata as DenomMetadata, Params } from "cosmjs-types/cosmos/bank/v1beta1/bank";
export {
  MsgMultiSend,
  MsgMultiSendResponse,
  MsgSend,
  MsgSendResponse,
} from "cosmjs-types/cosmos/bank/v1beta1/tx";

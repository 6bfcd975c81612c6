/** The SDK's auth records under the names this module uses. */
export { BaseAccount, ModuleAccount, Params } from "cosmjs-types/cosmos/auth/v1beta1/auth";
export { Any } from "cosmjs-types/google/protobuf/any";

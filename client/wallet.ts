/**
 * Signers from a mnemonic, at Cosmos's derivation path and Keel's address prefix. The key is derived once: CosmJS's HD wallet derives
 * it again for every signature.
 */
import { makeCosmoshubPath } from "@cosmjs/amino";
import { Bip39, EnglishMnemonic, Slip10, Slip10Curve } from "@cosmjs/crypto";
import { DirectSecp256k1Wallet, type OfflineDirectSigner } from "@cosmjs/proto-signing";
import { KeelInputError } from "./errors.ts";

/** Address prefix of chains that say nothing else. */
export const DEFAULT_PREFIX = "keel";

export interface Wallet {
  readonly address: string;
  readonly signer: OfflineDirectSigner;
}

export interface WalletOptions {
  /** Default "keel". */
  readonly prefix?: string;
  /** First account: m/44'/118'/0'/0/`index`. Default 0. */
  readonly index?: number;
}

/** The account at m/44'/118'/0'/0/`index`. */
export async function walletFromMnemonic(
  mnemonic: string,
  options: WalletOptions = {},
): Promise<Wallet> {
  const [wallet] = await walletsFromMnemonic(mnemonic, 1, options);
  return wallet as Wallet;
}

/** `count` accounts of one mnemonic, in order of index. */
export async function walletsFromMnemonic(
  mnemonic: string,
  count: number,
  { prefix = DEFAULT_PREFIX, index = 0 }: WalletOptions = {},
): Promise<readonly Wallet[]> {
  const seed = await Bip39.mnemonicToSeed(checkedMnemonic(mnemonic));
  const wallets: Wallet[] = [];
  for (let number = index; number < index + count; number++) {
    const { privkey } = Slip10.derivePath(Slip10Curve.Secp256k1, seed, makeCosmoshubPath(number));
    const signer = await DirectSecp256k1Wallet.fromKey(privkey, prefix);
    const [account] = await signer.getAccounts();
    wallets.push({ address: account?.address ?? "", signer });
  }
  return wallets;
}

function checkedMnemonic(text: string): EnglishMnemonic {
  try {
    return new EnglishMnemonic(text.trim());
  } catch {
    // The library's message may repeat words of the secret.
    throw new KeelInputError("invalid-option", "mnemonic", "expected a BIP-39 English mnemonic");
  }
}

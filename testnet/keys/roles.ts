/**
 * The role accounts of local networks. WARNING: these mnemonics are public. Anyone can spend whatever they hold, on every chain: never
 * send anything of value to them.
 */
import {
  type Wallet,
  type WalletOptions,
  walletFromMnemonic,
  walletsFromMnemonic,
} from "@keel/client/wallet";

export type RoleName =
  | "validator-1"
  | "validator-2"
  | "validator-3"
  | "validator-4"
  | "faucet"
  | "maker-1"
  | "maker-2"
  | "traders"
  | "alice"
  | "bob";

/** To be printed wherever the mnemonics are. */
export const PUBLIC_KEYS_WARNING =
  "These keys are public. Never send anything of value to them, on any chain.";

export interface Role {
  readonly name: RoleName;
  /** What it does on a local network. */
  readonly purpose: string;
  readonly mnemonic: string;
}

/** Ten accounts, each at m/44'/118'/0'/0/0 of its own mnemonic. */
export const roles: readonly Role[] = [
  {
    name: "validator-1",
    purpose: "operates validator 1",
    mnemonic:
      "defense alien title shop loyal excuse hybrid model mansion average unable tank smile absurd pyramid dismiss scrub damage inquiry engage truly orange forward town",
  },
  {
    name: "validator-2",
    purpose: "operates validator 2",
    mnemonic:
      "fault wealth symbol future divide midnight film loop soft creek cloth crush shock north shadow share bamboo birth tide shine decorate delay reflect lock",
  },
  {
    name: "validator-3",
    purpose: "operates validator 3",
    mnemonic:
      "antique better confirm green rice capital scrap three soul obtain grief vague lesson canal only matter cloud beef account hamster coyote purchase surge mushroom",
  },
  {
    name: "validator-4",
    purpose: "operates validator 4",
    mnemonic:
      "hip run bargain deputy model bachelor ugly basic spare aim weapon income original clump slab end basic jar fresh bag all cradle health timber",
  },
  {
    name: "faucet",
    purpose: "pays the faucet's credits",
    mnemonic:
      "evil guard pear scissors right pen earth say talk snow rack rate old diamond cricket sunny praise door thing museum injury trade casino antenna",
  },
  {
    name: "maker-1",
    purpose: "quotes both sides",
    mnemonic:
      "long later enroll number soccer strategy absurd napkin gaze smoke submit dirt fiscal frog help blur artist method enroll consider often today wealth palace",
  },
  {
    name: "maker-2",
    purpose: "quotes both sides",
    mnemonic:
      "shield cute foil violin fiber maze pattern fantasy minor loud swim travel bid chaos frown vehicle pioneer crumble method salute clarify help since turn",
  },
  {
    name: "traders",
    purpose: "funds the numbered traders, which are its further accounts",
    mnemonic:
      "also outdoor plate foot chuckle squirrel measure borrow fresh glide attract clap country frog solid program celery claw deer blur life stomach shoot dismiss",
  },
  {
    name: "alice",
    purpose: "yours to play with",
    mnemonic:
      "vocal excuse curious misery arrow physical penalty cage style ladder strategy skill sound fashion phrase waste caught spoon slam october pattern sunny measure stadium",
  },
  {
    name: "bob",
    purpose: "yours to play with",
    mnemonic:
      "speed ocean wool captain cherry toward rent certain mistake accuse zoo rural action inch whale world defense list situate favorite donor summer faint best",
  },
];

export interface RoleWallet extends Wallet {
  readonly name: RoleName;
  readonly purpose: string;
  readonly mnemonic: string;
}

/** Wallet of one role. */
export async function roleWallet(name: RoleName, options: WalletOptions = {}): Promise<RoleWallet> {
  const role = roles.find((each) => each.name === name);
  if (role === undefined) throw new Error(`expected a role, got ${name}`);
  return { ...role, ...(await walletFromMnemonic(role.mnemonic, options)) };
}

/** All ten, in the order of the list. */
export async function roleWallets(options: WalletOptions = {}): Promise<readonly RoleWallet[]> {
  return await Promise.all(roles.map(({ name }) => roleWallet(name, options)));
}

/** Traders 1 to `count`: accounts 1 to `count` of the "traders" mnemonic, the same on every run. */
export async function traderWallets(
  count: number,
  options: Pick<WalletOptions, "prefix"> = {},
): Promise<readonly Wallet[]> {
  const { mnemonic } = roles.find(({ name }) => name === "traders") as Role;
  return await walletsFromMnemonic(mnemonic, count, { ...options, index: 1 });
}

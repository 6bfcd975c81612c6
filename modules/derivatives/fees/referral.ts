/** Referral: an owner's code, and the one owner who brought another. Nobody has both, so there are no chains and no circles. */
import { accountId, type OwnerKey, ownerKeyOf } from "../../kit/account-id.ts";
import type { WriteContext } from "../../kit/context.ts";
import { refuse } from "../errors.ts";
import type { Venue } from "../venue.ts";
import { referralCodeRegistered, referrerSet } from "./events.ts";
import { traderOf } from "./volume.ts";

const CODE = /^[A-Z0-9]{3,20}$/;

/** Without state. */
export function checkReferralCode(code: string): void {
  if (!CODE.test(code)) {
    throw refuse("invalidReferralCode", "expected a code of 3 to 20 capital letters and digits");
  }
}

function ownerOf({ addresses }: Venue, address: string): OwnerKey {
  return ownerKeyOf(accountId(addresses.parse(address), 0));
}

export function registerCode(
  ctx: WriteContext,
  venue: Venue,
  { sender, code }: { readonly sender: string; readonly code: string },
): void {
  checkReferralCode(code);
  const { codes, traders } = venue.state.fees;
  const owner = ownerOf(venue, sender);
  const record = traderOf(ctx, venue, owner);
  if (record.referralCode !== "") {
    throw refuse("referralFixed", `the owner's code is ${record.referralCode}`);
  }
  if (record.referrer.length > 0) {
    throw refuse("referralFixed", "an owner who was referred brings no others");
  }
  if (codes.has(ctx, code)) throw refuse("referralCodeTaken", `${code} belongs to another owner`);
  codes.set(ctx, code, venue.addresses.parse(sender));
  traders.set(ctx, owner, { ...record, referralCode: code });
  referralCodeRegistered(ctx, sender, code);
}

/** Returns the referrer's address. */
export function setReferrer(
  ctx: WriteContext,
  venue: Venue,
  { sender, code }: { readonly sender: string; readonly code: string },
): string {
  checkReferralCode(code);
  const { codes, traders } = venue.state.fees;
  const owner = ownerOf(venue, sender);
  const record = traderOf(ctx, venue, owner);
  if (record.referrer.length > 0) {
    throw refuse("referralFixed", "the owner has named its referrer already");
  }
  // With this its own code is out of the question too.
  if (record.referralCode !== "") {
    throw refuse("referralFixed", "an owner of a code is not referred itself");
  }
  const referrer = codes.get(ctx, code);
  if (referrer === undefined) throw refuse("unknownReferralCode", `no owner has the code ${code}`);
  traders.set(ctx, owner, { ...record, referrer });
  const address = venue.addresses.format(referrer);
  referrerSet(ctx, { owner: sender, referrer: address, code });
  return address;
}

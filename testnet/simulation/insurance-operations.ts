/** What agents do with the insurance funds: they give, underwrite, and take their shares back. */
import { ModuleError } from "@keel/modules/kit/errors";
import {
  QueryUnderwriterRequest,
  QueryUnderwriterResponse,
} from "@keel/proto/gen/keel/insurance/v1/query";
import {
  MsgFund,
  MsgGiveNotice,
  MsgSetFund,
  MsgUnderwrite,
} from "@keel/proto/gen/keel/insurance/v1/tx";
import { DENOM } from "./genesis.ts";
import { type At, ask, one, type SimulationOperation } from "./operation.ts";
import { RISK_CLASSES } from "./waterfall-acts.ts";

const INSURANCE = "/keel.insurance.v1.";
const UNIT = 1_000_000n;
/** So many are asked whether they have shares before one who has is taken. */
const ASKED = 12;

function someClass({ random }: At): string {
  return ["", ...RISK_CLASSES][random.below(RISK_CLASSES.length + 1)] ?? "";
}

/** Less than the funds begin with, or nothing would ever be more than they can pay. */
function someUnits({ random }: At): string {
  return `${BigInt(1 + random.below(25)) * UNIT}`;
}

/** Of one fund; an owner without any is refused by the query. */
function sharesOf(at: At, owner: string, riskClass: string): bigint {
  const codecs = [QueryUnderwriterRequest, QueryUnderwriterResponse] as const;
  const question = { owner, denom: DENOM, riskClass };
  try {
    const { underwriter } = ask(at, `${INSURANCE}Query/Underwriter`, codecs, question);
    return BigInt(underwriter?.shares || "0");
  } catch (error) {
    if (error instanceof ModuleError) return 0n;
    throw error;
  }
}

function underwriting(
  name: string,
  weight: number,
  change: (at: At) => Partial<MsgUnderwrite>,
): SimulationOperation {
  return {
    name,
    weight,
    ...(weight === 1 ? { wrong: true } : {}),
    create(at) {
      const usual = { sender: at.account.owner, denom: DENOM, riskClass: someClass(at) };
      const value = MsgUnderwrite.fromPartial({ ...usual, amount: someUnits(at), ...change(at) });
      return one(`${INSURANCE}MsgUnderwrite`, value);
    },
  };
}

export const insuranceOperations: readonly SimulationOperation[] = [
  underwriting("insurance: underwrite", 10, () => ({})),
  underwriting("insurance: underwrite a class that is none", 1, () => ({ riskClass: "nobody" })),
  underwriting("insurance: underwrite in another coin", 1, () => ({ denom: "ukeel" })),
  underwriting("insurance: underwrite with nothing", 1, () => ({ amount: "0" })),
  {
    name: "insurance: gift to a class",
    weight: 3,
    create(at) {
      const value = MsgFund.fromPartial({
        sender: at.account.owner,
        denom: DENOM,
        riskClass: RISK_CLASSES[at.random.below(RISK_CLASSES.length)] ?? "",
        amount: someUnits(at),
      });
      return one(`${INSURANCE}MsgFund`, value);
    },
  },
  {
    // Of all shares or half of them, or no more notice.
    name: "insurance: notice",
    weight: 10,
    create(at) {
      const { agents, random } = at;
      const riskClass = someClass(at);
      for (let asked = 0; asked < ASKED; asked++) {
        const sender = agents[random.below(agents.length)]?.account.address ?? "";
        const held = sharesOf(at, sender, riskClass);
        if (held === 0n) continue;
        const dice = random.below(8);
        const shares = `${dice === 0 ? 0n : dice < 3 ? held / 2n : held}`;
        const value = MsgGiveNotice.fromPartial({ sender, denom: DENOM, riskClass, shares });
        return one(`${INSURANCE}MsgGiveNotice`, value);
      }
      return null;
    },
  },
  {
    name: "insurance: terms by anyone",
    weight: 1,
    wrong: true,
    create: ({ account: { owner: authority } }) =>
      one(
        `${INSURANCE}MsgSetFund`,
        MsgSetFund.fromPartial({ authority, denom: DENOM, riskClass: "btc", assessablePpm: 1 }),
      ),
  },
  {
    name: "insurance: notice of more than there is",
    weight: 1,
    wrong: true,
    create: (at) =>
      one(
        `${INSURANCE}MsgGiveNotice`,
        MsgGiveNotice.fromPartial({
          sender: at.account.owner,
          denom: DENOM,
          riskClass: someClass(at),
          shares: `1${"0".repeat(40)}`,
        }),
      ),
  },
];

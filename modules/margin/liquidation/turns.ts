/**
 * Whose turn it is, of accounts in order of urgency: the most urgent, and a quarter from among the others, by height. Where nobody takes anything of the most urgent at a
 * price they can pay, they would keep everybody else waiting until these have nothing left, either. Pure. What it costs depends on the turns and not on
 * how many wait: it asks who is due only until the turns are given away, and at most so many. Of two or three turns one is the others'; a single one is always the
 * most urgent's, so that whoever nobody takes keeps the others waiting until the next rungs have come to it.
 */
import { JUDGED_PER_TURN } from "../limits.ts";

/**
 * At most `most`, in their order. As long as a sequence stays as it is, everyone in it who is due has a turn within as many heights as it has quarters of
 * `most`, rounded down but not below one turn; of a `most` of 1 only the first.
 */
export function turnsOf<T>(
  sequence: readonly T[],
  most: number,
  height: number,
  isDue: (one: T) => boolean,
): readonly T[] {
  const round = most > 1 && most < 4 ? 1 : most >> 2;
  const found: number[] = [];
  /** From place `first + offset` on, coming round to `first` again. */
  const fill = (first: number, offset: number, places: number, turns: number): number => {
    const length = sequence.length - first;
    let asked = 0;
    for (; asked < length && asked < places && found.length < turns; asked++) {
      const place = first + ((offset + asked) % length);
      if (isDue(sequence[place] as T)) found.push(place);
    }
    return asked;
  };
  const urgent = fill(0, 0, (most - round) * JUDGED_PER_TURN, most - round);
  const others = sequence.length - urgent;
  // As many places farther with each height as it has turns to give: whoever comes first from there is asked while there are some.
  const offset = others === 0 ? 0 : (height * round) % others;
  fill(urgent, offset, most * JUDGED_PER_TURN - urgent, most);
  return found.sort((a, b) => a - b).map((place) => sequence[place] as T);
}

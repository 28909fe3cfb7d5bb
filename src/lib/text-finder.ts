/** A place where one of the texts stands. */
export interface Occurrence {
  start: number;
  end: number;
  name: string;
}

/** Finds many texts at once, in one pass over what is searched. */
export interface TextFinder {
  /** Every place of every text, overlapping ones too, by start; where several begin at a place, the longest. */
  all(text: string): Occurrence[];
  /** Where the end of `text` is the beginning of one of the texts, and no more than that: the longest. Null when there is none. */
  begun(text: string): Occurrence | null;
  /**
   * Every place where `sign`, at `from` or behind it, comes right after the beginning of one of the texts, and no more than
   * that, of at least `least(length of the text)` characters. Takes time that grows with `text` only.
   */
  begunBefore(text: string, sign: string, from: number, least: (length: number) => number): Occurrence[];
}

/** Characters of a text by which it is looked up; each text must have as many. */
const keyLength = 4;
const tableSize = 1 << 18;

/** Makes a finder of texts, each with the name that its occurrences get. */
export function createTextFinder(texts: ReadonlyMap<string, string>): TextFinder {
  const mayBegin = new Uint8Array(tableSize);
  const byKey = new Map<string, { text: string; name: string }[]>();
  const starts = new Map<string, { text: string; name: string }[]>();
  let longest = 0;
  for (const [text, name] of [...texts].sort(([one], [other]) => other.length - one.length)) {
    mayBegin[slotOf(text, 0)] = 1;
    add(byKey, text.slice(0, keyLength), { text, name });
    for (let length = 1; length < keyLength; length += 1) add(starts, text.slice(0, length), { text, name });
    longest = Math.max(longest, text.length);
  }

  return {
    all(text) {
      const found: Occurrence[] = [];
      for (let at = 0; at + keyLength <= text.length; at += 1) {
        if (mayBegin[slotOf(text, at)] === 0) continue;
        const match = byKey
          .get(text.slice(at, at + keyLength))
          ?.find((each) => text.startsWith(each.text, at));
        if (match !== undefined) found.push({ start: at, end: at + match.text.length, name: match.name });
      }
      return found;
    },
    begun(text) {
      for (let at = Math.max(0, text.length - longest + 1); at < text.length; at += 1) {
        const rest = text.length - at;
        if (rest >= keyLength && mayBegin[slotOf(text, at)] === 0) continue;
        const candidates = (rest < keyLength ? starts : byKey).get(text.slice(at, at + keyLength)) ?? [];
        const tail = text.slice(at);
        const match = candidates.find((each) => each.text.length > rest && each.text.startsWith(tail));
        if (match !== undefined) return { start: at, end: text.length, name: match.name };
      }
      return null;
    },
    begunBefore(text, sign, from, least) {
      const found: Occurrence[] = [];
      let next = text.indexOf(sign, from);
      for (let at = Math.max(0, from - longest); next !== -1 && at < text.length; at += 1) {
        if (at >= next) next = text.indexOf(sign, at + 1);
        const nearest = next - at;
        if (nearest < keyLength) {
          const short = nearest > 0 ? (starts.get(text.slice(at, next)) ?? []) : [];
          const match = short.find((each) => nearest >= least(each.text.length));
          if (match !== undefined) found.push({ start: at, end: next, name: match.name });
        }
        if (at + keyLength > text.length || mayBegin[slotOf(text, at)] === 0) continue;
        let longestTail: Occurrence | null = null;
        for (const each of byKey.get(text.slice(at, at + keyLength)) ?? []) {
          // A text may hold the sign itself.
          for (let end = next; end !== -1 && end - at < each.text.length; end = text.indexOf(sign, end + 1)) {
            if (!each.text.startsWith(text.slice(at, end))) break;
            if (end - at >= least(each.text.length) && end > (longestTail?.end ?? 0))
              longestTail = { start: at, end, name: each.name };
          }
        }
        if (longestTail !== null) found.push(longestTail);
      }
      return found;
    },
  };
}

function add<Value>(lists: Map<string, Value[]>, key: string, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}

function slotOf(text: string, at: number): number {
  let hash = text.charCodeAt(at);
  for (let next = 1; next < keyLength; next += 1) hash = Math.imul(hash, 31) + text.charCodeAt(at + next);
  return (hash ^ (hash >>> 13)) & (tableSize - 1);
}

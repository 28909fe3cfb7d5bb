import { createContext, Script } from 'node:vm';
import { StepFailure } from '../step/step-error.ts';

/** How an answer is compared with what is asked for. */
export type Match = 'exact' | 'contains' | 'startsWith' | 'endsWith' | 'matches' | 'atLeast' | 'atMost';

/** True when `got` is as `value` and `match` say; null is what is not there, and is as nothing. Faults of `value` are thrown as `invalid_data`. */
export type Comparison = (got: string | null) => boolean;

/** The comparison with one value. White space is folded, except where a regular expression asks for it. */
export function comparisonWith(value: string, match: Match): Comparison {
  const wanted = foldWhiteSpace(value);
  switch (match) {
    case 'exact':
      return (got) => got !== null && foldWhiteSpace(got) === wanted;
    case 'contains':
      return (got) => got !== null && foldWhiteSpace(got).includes(wanted);
    case 'startsWith':
      return (got) => got !== null && foldWhiteSpace(got).startsWith(wanted);
    case 'endsWith':
      return (got) => got !== null && foldWhiteSpace(got).endsWith(wanted);
    case 'matches': {
      const test = patternTest(value);
      return (got) => got !== null && (test(foldWhiteSpace(got)) || test(got));
    }
    case 'atLeast':
    case 'atMost': {
      const limit = numberIn(value);
      if (limit === null)
        throw new StepFailure('invalid_data', `value: "${value}" is no number, as ${match} needs it`);
      return (got) => {
        const number = numberIn(got);
        if (number === null) return false;
        return match === 'atLeast' ? number >= limit : number <= limit;
      };
    }
  }
}

/** A text as it is compared: the page folds the texts that locating compares in the same way (look-in-page.ts). */
export function foldWhiteSpace(text: string): string {
  return text.replaceAll('\u200b', '').trim().replace(/\s+/g, ' ');
}

/** The number that a text is, in the notation of JavaScript; null for anything else. */
export function numberIn(text: string | null): number | null {
  const written = text === null ? '' : foldWhiteSpace(text);
  const number = Number(written);
  return written === '' || !Number.isFinite(number) ? null : number;
}

/** Longest a regular expression may take; some take years. */
const patternMs = 250;

function patternTest(source: string): (text: string) => boolean {
  const pattern = patternFrom(source);
  const context = createContext({ pattern, text: '' });
  const script = new Script('pattern.test(text)');
  return (text) => {
    context['text'] = text;
    try {
      return script.runInContext(context, { timeout: patternMs }) === true;
    } catch {
      throw new StepFailure(
        'invalid_data',
        `value: the regular expression ${source} took longer than ${patternMs} ms`,
      );
    }
  };
}

function patternFrom(source: string): RegExp {
  try {
    return new RegExp(source, 'u');
  } catch {
    try {
      return new RegExp(source);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new StepFailure('invalid_data', `value: is no regular expression (${why})`);
    }
  }
}

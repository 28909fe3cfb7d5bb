import type { DataOf } from '../../flow/node-types/node-types.ts';
import { candidatesOf } from '../../flow/step.ts';
import { type Found, locate } from '../locating/locate.ts';
import { type Is, isText, listOf } from '../step/page-answer.ts';
import { isBetweenDocuments } from '../step/step-error.ts';
import { lookAgain } from './look-again.ts';
import { lookerFor } from './look-at-subject.ts';
import { onAllMatches } from './on-all-matches.ts';
import { readElements } from './read-elements.ts';
import { readTable, type TableRow } from './read-table.ts';
import type { Scene } from './scene.ts';
import { factsFor, isOfAllMatches, subjectIn } from './subject.ts';

/** What an extract reads, and the element where it is of one. */
export interface Extracted {
  value: unknown;
  found?: Found;
}

/** Reads a subject, once its element is there. What the element does not have is an empty text. */
export async function extractSubject(data: DataOf<'extract'>, scene: Scene): Promise<Extracted> {
  const { subject = 'text' } = data;
  const { budget } = scene;
  const candidates = candidatesOf(data);
  if (subject === 'title' || subject === 'url') {
    const look = lookerFor({ ...data, subject }, scene, { endsAt: 0 });
    const { got } = await lookAgain(() => look(null, 0), scene);
    return { value: got ?? '' };
  }
  if (subject === 'table') return extractTable(candidates, scene);
  if (isOfAllMatches(subject)) {
    const readings = await lookAgain(
      () => budget.spend(readElements(candidates, {}, scene, { known: null, waitMs: 0 })),
      scene,
    );
    const reading =
      readings.find(({ visible }) => visible > 0) ??
      readings.find(({ matches }) => matches > 0) ??
      readings[0];
    return { value: reading === undefined ? null : subjectIn(subject, reading) };
  }
  if (subject === 'text') {
    // As a person sees it, and not as an assertion compares it.
    const found = await locate({ candidates, need: 'present', readsText: true }, scene);
    return { value: found.text, found };
  }
  return lookAgain(async () => {
    const found = await locate({ candidates, need: 'present' }, scene);
    const look = { known: null, waitMs: 0 };
    const readings = await budget.spend(readElements([found.selector], factsFor(subject, data), scene, look));
    if (readings === null) return null;
    const reading = readings === 'again' ? undefined : readings[0];
    if (reading === undefined || reading.matches === 0) return 'again';
    return { value: subjectIn(subject, reading) ?? '', found };
  }, scene);
}

const isRecord: Is<Record<string, string>> = (value): value is Record<string, string> =>
  typeof value === 'object' && value !== null && Object.values(value).every(isText);
const isRow: Is<TableRow> = (value): value is TableRow =>
  Array.isArray(value) ? value.every(isText) : isRecord(value);
const isTable: Is<TableRow[] | 'none'> = (value): value is TableRow[] | 'none' =>
  value === 'none' || listOf(isRow)(value);

function extractTable(candidates: readonly string[], scene: Scene): Promise<Extracted> {
  return lookAgain(async () => {
    const found = await locate({ candidates, need: 'present' }, scene);
    try {
      const rows = await scene.budget.spend(
        onAllMatches<null, TableRow[] | 'none'>(found.selector, readTable, null, isTable, scene),
      );
      if (rows === null) return null;
      return rows === 'none' ? 'again' : { value: rows, found };
    } catch (error) {
      if (isBetweenDocuments(error)) return 'again';
      throw error;
    }
  }, scene);
}

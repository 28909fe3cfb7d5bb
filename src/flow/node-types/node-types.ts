import type * as z from 'zod';
import { controlTypes } from './control.ts';
import { elementTypes } from './elements.ts';
import type { NodeTypeEntry } from './entry.ts';
import { pageTypes } from './pages.ts';
import { questionTypes } from './questions.ts';

/** Name of a node type as the engine knows it; flows may write it in any case. */
export type NodeType = keyof typeof nodeTypes;

/**
 * THE table of node types: what a step's `data` holds and how the engine treats it, in the order of the documents. What each does in a browser
 * stands in browser/actions/actions.ts, which the compiler holds to have every type.
 */
export const nodeTypes = { ...pageTypes, ...elementTypes, ...questionTypes, ...controlTypes } as const;

/** The row of a type, all rows of one shape. */
export function entryOf(type: NodeType): NodeTypeEntry {
  return nodeTypes[type];
}

/** The `data` of one node type, aliases resolved and variables in place. */
export type DataOf<Type extends NodeType> = z.output<(typeof nodeTypes)[Type]['data']>;

/** React Flow and editor nodes that carry no step; they are passed over where no edge touches them. */
export const decorations: ReadonlySet<string> = new Set(['group', 'note', 'comment', 'annotation']);

/** Fields of `data` that any node may have for its editor and its readers; the engine passes over them. */
export const decorativeFields: readonly string[] = [
  'label',
  'description',
  'comment',
  'note',
  'notes',
  'icon',
  'color',
  'colour',
  'style',
  'className',
  'category',
];

/** The type a node's `type` names (`Click`, `click`, `doubleClick`), and the fields that this spelling stands for; null for an unknown one. */
export function spelledType(
  written: string,
): { type: NodeType; fields: Readonly<Record<string, unknown>> } | null {
  return spellings.get(written.trim().toLowerCase()) ?? null;
}

/** The type a node's `type` names; null for an unknown one. */
export function nodeTypeNamed(written: string): NodeType | null {
  return spelledType(written)?.type ?? null;
}

/** True for `start` in any case. */
export function isStart(written: string): boolean {
  return written.trim().toLowerCase() === 'start';
}

/** True for a node that begins a subflow, `subflowStart` or `reusable` in any case. */
export function isSubflowStart(written: string): boolean {
  return ['subflowstart', 'reusable'].includes(written.trim().toLowerCase());
}

/** The fields of `data` this type reads, under our names, taken from an alias where ours is absent; everything else is left out. */
export function fieldsOf(type: NodeType, data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { data: schema, fieldAliases } = entryOf(type);
  const fields: Record<string, unknown> = {};
  for (const field of Object.keys(schema.shape)) {
    const written = [field, ...(fieldAliases[field] ?? [])].find((name) => isGiven(data[name]));
    if (written !== undefined) fields[field] = data[written];
  }
  return fields;
}

/** Fields of `data` that say something to nobody: neither this type nor any editor's decoration knows them. Empty ones say nothing. */
export function unknownFieldsOf(type: NodeType, data: Readonly<Record<string, unknown>>): string[] {
  const { data: schema, fieldAliases } = entryOf(type);
  const known = new Set([
    ...Object.keys(schema.shape),
    ...Object.values(fieldAliases).flat(),
    ...decorativeFields,
  ]);
  return Object.keys(data).filter((name) => !known.has(name) && !isEmpty(data[name]));
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== null;
}

/** As forms leave what nobody filled in. */
export function isEmpty(value: unknown): boolean {
  return (
    !isGiven(value) || value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0)
  );
}

const spellings: ReadonlyMap<string, { type: NodeType; fields: Readonly<Record<string, unknown>> }> = new Map(
  (Object.keys(nodeTypes) as NodeType[]).flatMap((type) => [
    [type.toLowerCase(), { type, fields: {} }] as const,
    ...Object.entries(entryOf(type).aliases).map(([alias, fields]) => [alias, { type, fields }] as const),
  ]),
);

/** Every way to write a type, for whoever guesses what was meant. */
export const typeSpellings: readonly string[] = [
  'start',
  'subflowStart',
  ...Object.keys(nodeTypes),
  ...spellings.keys(),
];

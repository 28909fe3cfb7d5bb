import type { z } from 'zod';
import { fieldPath } from '../protocol/problem.ts';
import { type DataOf, type NodeType, nodeTypes } from './node-types.ts';
import { substitute, type Variables } from './variables.ts';

/** One node to execute. `fields` are those of its type, variables not yet replaced. */
export interface Step {
  nodeId: string;
  type: NodeType;
  fields: Readonly<Record<string, unknown>>;
}

/** A step's data with every variable replaced, tagged with its type so that a switch narrows it. */
export type StepData = { [Type in NodeType]: { type: Type; data: DataOf<Type> } }[NodeType];

/** The step's own selectors in priority order, each once: `selector`, then `selectors[]`. */
export function candidatesOf(data: {
  selector?: string | undefined;
  selectors?: readonly string[] | undefined;
}): string[] {
  return [
    ...new Set([data.selector, ...(data.selectors ?? [])].filter((selector) => selector !== undefined)),
  ];
}

/** A step's time budget in ms. */
export function timeoutOf({ type, data }: StepData): number {
  return 'timeoutMs' in data && typeof data.timeoutMs === 'number'
    ? data.timeoutMs
    : nodeTypes[type].defaultTimeoutMs;
}

/**
 * Replaces the variables of a step and checks its data. Faults name the field: `url: is missing`.
 * A fault at this point, with all variables known, means that a variable holds something the field does not take.
 */
export function readStep(step: Step, variables: Variables): { step: StepData } | { faults: string[] } {
  const fields = substitute(step.fields, variables);
  const faults = stepFaults(step.type, fields, { isFinal: true });
  if (faults.length > 0) return { faults };
  return { step: { type: step.type, data: nodeTypes[step.type].data.parse(fields) } as StepData };
}

/**
 * What is wrong with the fields of a step. Values that still hold a `{{VAR}}` are taken on trust, unless they are final:
 * then a variable held those braces, and they mean nothing any more.
 */
export function stepFaults(
  type: NodeType,
  fields: Readonly<Record<string, unknown>>,
  { isFinal = false } = {},
): string[] {
  const { data: schema, needsTarget } = nodeTypes[type];
  const parsed: z.ZodSafeParseResult<unknown> = schema.safeParse(fields);
  const faults = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${fieldPath(path)}: ${message}`);
  if (
    needsTarget &&
    fields['selector'] === undefined &&
    [fields['selectors']].flat().every((item) => item === undefined)
  ) {
    faults.push('selector: is missing');
  }
  if (isFinal) {
    for (const field of ['ms', 'timeoutMs'].filter((name) => String(fields[name]).includes('{{'))) {
      faults.push(`${field}: must be a whole number of milliseconds`);
    }
  }
  if (type === 'navigate' && typeof fields['url'] === 'string') {
    faults.push(...urlFaults(fields['url'], { isFinal }));
  }
  return faults;
}

/** Why a step may not go to `url`: only http and https leave the machine, and `about:blank` goes nowhere. */
export function urlFaults(url: string, { isFinal = false } = {}): string[] {
  const trimmed = url.trim();
  if (trimmed === '' || trimmed === 'about:blank') return [];
  if (!isFinal && trimmed.startsWith('{{')) return [];
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(trimmed)?.[1]?.toLowerCase();
  if (scheme === undefined || /^[^/:]+:\d+(\/|$)/.test(trimmed)) {
    return [
      `url: "${shorten(trimmed)}" has no scheme; write https://${shorten(trimmed.replace(/^\/+/, ''))}`,
    ];
  }
  if (scheme !== 'http' && scheme !== 'https')
    return [`url: ${scheme}: addresses are not opened, only http: and https:`];
  if ((isFinal || !trimmed.includes('{{')) && !URL.canParse(trimmed))
    return [`url: "${shorten(trimmed)}" is no valid address`];
  return [];
}

function shorten(text: string): string {
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

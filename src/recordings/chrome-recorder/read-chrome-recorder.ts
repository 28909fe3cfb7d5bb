import { UsageError } from '../../lib/errors.ts';
import { fieldPath } from '../../protocol/problem.ts';
import { collectSteps } from '../collect-steps.ts';
import type { Recording } from '../imported.ts';
import { foldKeys } from './fold-keys.ts';
import { keepRecorderStep, recordedAt } from './keep-recorder-step.ts';
import { type RecorderStep, recorderFlow, recorderSteps } from './recorder-schema.ts';

/** True for what Chrome's Recorder exports as JSON. */
export function isRecorderFlow(json: unknown): boolean {
  if (typeof json !== 'object' || json === null) return false;
  return Array.isArray(Reflect.get(json, 'steps')) && !Array.isArray(Reflect.get(json, 'nodes'));
}

/** Reads a user flow of Chrome's DevTools Recorder. Throws UsageError with all that is malformed. */
export function readChromeRecorder(json: unknown, path: string): Recording {
  const parsed = recorderFlow.safeParse(json);
  const problems = parsed.success ? [] : faults('', parsed.error.issues);
  const steps = (Reflect.get(Object(json), 'steps') as unknown[]).map((raw, index) => {
    const read = readStep(raw, index);
    problems.push(...read.problems);
    return read;
  });
  if (!parsed.success || problems.length > 0) {
    throw new UsageError(`${path} is no recording of Chrome's Recorder`, {
      problems: [...new Set(problems)].slice(0, 50),
      hint: 'In the Recorder, choose Export, JSON file.',
    });
  }

  const flow = collectSteps();
  const known = steps.flatMap(({ step }) => (step === null ? [] : [step]));
  const flowOf = {
    timeoutMs: parsed.data.timeout,
    hasOtherPages: known.some(({ target }) => target !== undefined && target !== 'main'),
  };
  // What is unknown divides the keys before it from those behind it, so each stretch is folded by itself.
  let stretch: RecorderStep[] = [];
  const flush = (): void => {
    for (const step of foldKeys(stretch)) keepRecorderStep(step, flowOf, flow);
    stretch = [];
  };
  for (const { step, type, index } of steps) {
    if (step !== null) {
      stretch.push(step);
      for (const field of unknownFields(step)) {
        flow.note(
          `${recordedAt(step.at, step.type).where}: the Recorder's format has no field "${field}"; it is passed over`,
        );
      }
      continue;
    }
    flush();
    flow.refuse(recordedAt(index, type), "the Recorder's format has no such step");
  }
  flush();
  const { title } = parsed.data;
  return {
    format: 'chrome-recorder',
    flows: [flow.finish(title.trim() === '' ? 'Recording' : title.trim())],
  };
}

interface ReadStep {
  /** Null for a type that the format does not have. */
  step: RecorderStep | null;
  type: string;
  index: number;
  problems: string[];
}

function readStep(raw: unknown, index: number): ReadStep {
  const type: unknown = Reflect.get(Object(raw), 'type');
  if (typeof type !== 'string') return { step: null, type: '', index, problems: [] };
  if (!isRecorderType(type)) return { step: null, type, index, problems: [] };
  const parsed = recorderSteps[type].safeParse(raw);
  if (!parsed.success) {
    return { step: null, type, index, problems: faults(`steps[${index}]`, parsed.error.issues) };
  }
  return { step: { ...parsed.data, type, at: index } as RecorderStep, type, index, problems: [] };
}

function isRecorderType(type: string): type is keyof typeof recorderSteps {
  return Object.hasOwn(recorderSteps, type);
}

function unknownFields(step: RecorderStep): string[] {
  const known = new Set(['type', 'at', ...Object.keys(recorderSteps[step.type].shape)]);
  return Object.keys(step).filter((field) => !known.has(field));
}

function faults(at: string, issues: readonly { path: PropertyKey[]; message: string }[]): string[] {
  return issues.map(({ path, message }) => {
    const field = [at, fieldPath(path)].filter((part) => part !== '').join('.');
    return field === '' ? message : `${field}: ${message}`;
  });
}

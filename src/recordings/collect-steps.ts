import { decorativeFields, nodeTypeNamed } from '../flow/node-types/node-types.ts';
import { stepFaults } from '../flow/step.ts';
import { referencedVariables } from '../flow/variables.ts';
import type { ImportedFlow, Unkept } from './imported.ts';
import { type DraftStep, layOutFlow } from './lay-out-flow.ts';

/** A flow in the making: steps are kept or refused one by one, and nothing gets lost between. */
export interface StepCollector {
  /** Adds a step; one that the engine would not take is refused with what is wrong with it. */
  keep(at: RecordedAt, step: DraftStep): void;
  /** Puts a `log` step in the place of what cannot be kept. */
  refuse(at: RecordedAt, why: string): void;
  /** Says something that a reader of the flow should know; the same only once. */
  note(text: string): void;
  finish(name: string): ImportedFlow;
}

/** A step of the recording: `step 3` and `customStep "foo"`. */
export interface RecordedAt {
  readonly where: string;
  readonly what: string;
}

/** Starts an empty flow; `variables` are those that the recording itself has, with their values. */
export function collectSteps(variables: Readonly<Record<string, string>> = {}): StepCollector {
  const steps: DraftStep[] = [];
  const unkept: Unkept[] = [];
  const notes = new Set<string>();

  const refuse = ({ where, what }: RecordedAt, why: string): void => {
    unkept.push({ where, what, why });
    steps.push({ type: 'log', data: { message: `not kept: ${where}, ${what}: ${why}`.slice(0, 2_000) } });
  };
  return {
    refuse,
    keep(at, step) {
      const faults = faultsOf(step);
      if (faults.length === 0) steps.push(step);
      else refuse(at, faults.join('; '));
    },
    note: (text) => void notes.add(text),
    finish(name) {
      const set = new Set(steps.map(({ data }) => data['variable']));
      const literal = referencedVariables(steps.map(({ data }) => data)).filter(
        (variable) => !Object.hasOwn(variables, variable) && !set.has(variable),
      );
      for (const variable of literal)
        notes.add(`{{${variable}}} is a variable of the flow; it is kept as text`);
      return {
        name: name.slice(0, 200),
        flow: layOutFlow({
          name: name.slice(0, 200),
          steps,
          // Braces of others are text, and a variable that holds itself stays text.
          variables: {
            ...variables,
            ...Object.fromEntries(literal.map((variable) => [variable, `{{${variable}}}`])),
          },
        }),
        notes: [...notes],
        unkept,
      };
    },
  };
}

function faultsOf({ type, data }: DraftStep): string[] {
  const known = nodeTypeNamed(type);
  if (known === null) return [`there is no node type "${type}"`];
  const fields = Object.entries(data).filter(([name]) => !decorativeFields.includes(name));
  return stepFaults(known, Object.fromEntries(fields));
}

import type { LocalSecret } from '../../flow/local-secrets.ts';
import type { TypedFields } from './typed-fields.ts';

/** The secrets of one step, and who hears what became of them. */
export interface StepSecrets {
  used: readonly LocalSecret[];
  typed: TypedFields;
  /** They are about to be given to a page of this origin. */
  onGiven(origin: string): void;
}

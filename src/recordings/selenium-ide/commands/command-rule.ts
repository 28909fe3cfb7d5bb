import type { DraftStep } from '../../lay-out-flow.ts';
import type { ImportContext } from '../import-context.ts';
import type { SideCommand } from '../side-project.ts';

/** How one command becomes steps of ours. Throws NotKept where it cannot. */
export type CommandRule = (command: SideCommand, context: ImportContext) => DraftStep[];

/** Rules by the name of their command. */
export type CommandRules = Readonly<Record<string, CommandRule>>;

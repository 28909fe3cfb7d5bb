export { type Command, type CommandContext, defineCommand } from '../command-line/command.ts';

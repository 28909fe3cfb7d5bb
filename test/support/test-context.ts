import { Readable } from 'node:stream';
import type { CommandContext } from '../../src/command-line/command.ts';

/** A command's surroundings that keep what is written, and through which a test sends signals. */
export function testContext(given: Partial<CommandContext> & { input?: string } = {}) {
  const written = { out: '', err: '' };
  const listeners = new Set<(signal: 'SIGINT' | 'SIGTERM') => void>();
  const context: CommandContext = {
    env: {},
    cwd: process.cwd(),
    stdout: {
      write: (text) => {
        written.out += text;
      },
      isTTY: false,
    },
    stderr: {
      write: (text) => {
        written.err += text;
      },
      isTTY: false,
    },
    stdin: Readable.from([given.input ?? '']),
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: (code) => {
      throw new Error(`exit(${code})`);
    },
    useRedactor: () => {},
    useTempFolder: () => () => {},
    ...given,
  };
  return {
    context,
    out: () => written.out,
    err: () => written.err,
    signal: (signal: 'SIGINT' | 'SIGTERM') => {
      for (const listener of [...listeners]) listener(signal);
    },
    /** Signal listeners that are still subscribed: none once a command has ended. */
    listening: () => listeners.size,
  };
}

import type { Recording } from './imported.ts';

/** Stand-in until merge. */
export function readRecording(_text: string, _path: string): Recording | null {
  return null;
}

import { isRecorderFlow, readChromeRecorder } from './chrome-recorder/read-chrome-recorder.ts';
import type { Recording } from './imported.ts';

/** Reads a file of another tool. Null for none of these formats; throws UsageError that names file and field for a malformed one. */
export function readRecording(text: string, path: string): Recording | null {
  const json = parsed(text.replace(/^\u{feff}/u, ''));
  if (json !== undefined) return isRecorderFlow(json) ? readChromeRecorder(json, path) : null;
  return null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

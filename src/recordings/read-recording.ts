import { isRecorderFlow, readChromeRecorder } from './chrome-recorder/read-chrome-recorder.ts';
import type { Recording } from './imported.ts';
import { jsonlLines, readPlaywrightJsonl } from './playwright/read-jsonl.ts';
import { isPlaywrightScript, readPlaywrightScript } from './playwright/read-script.ts';
import { importSideProject } from './selenium-ide/import-side-project.ts';
import { looksLikeSideProject } from './selenium-ide/side-project.ts';

/** Reads a file of another tool. Null for none of these formats; throws UsageError that names file and field for a malformed one. */
export function readRecording(text: string, path: string): Recording | null {
  const content = text.replace(/^\u{feff}/u, '');
  const json = parsed(content);
  if (isRecorderFlow(json)) return readChromeRecorder(json, path);
  if (looksLikeSideProject(json)) return { format: 'selenium-ide', flows: importSideProject(json, path) };
  const lines = jsonlLines(content);
  if (lines !== null) return readPlaywrightJsonl(lines, path);
  return json === undefined && isPlaywrightScript(content) ? readPlaywrightScript(content, path) : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

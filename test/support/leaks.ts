import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Where any of these secrets, in any usual encoding, stands in what was told: one line each, without the secret. Written
 * without the program's own redactor, which it judges.
 */
export function leaks(
  secrets: Readonly<Record<string, string>>,
  told: ReadonlyMap<string, string>,
): string[] {
  const found: string[] = [];
  for (const [name, value] of Object.entries(secrets)) {
    for (const [how, needle] of needlesOf(value)) {
      for (const [where, text] of told) {
        const at = text.indexOf(needle);
        if (at !== -1)
          found.push(`${name} (${how}) in ${where}: …${text.slice(Math.max(0, at - 60), at)}HERE`);
      }
    }
  }
  return found;
}

function needlesOf(value: string): [string, string][] {
  // A long secret may have been cut: its beginning alone is a leak.
  const head = value.slice(0, 60);
  const json = JSON.stringify(head).slice(1, -1);
  const html = head.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);
  const named = head
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
  const bytes = Buffer.from(head);
  const base64 = [0, 1, 2].flatMap((before): [string, string][] => {
    const text = Buffer.concat([Buffer.alloc(before, 'x'), bytes]);
    const end = text.length - (text.length % 3);
    const inner = (encoding: 'base64' | 'base64url') =>
      text
        .subarray(0, end)
        .toString(encoding)
        .slice(before === 0 ? 0 : 4);
    return [
      [`Base64 at ${before}`, inner('base64')],
      [`base64url at ${before}`, inner('base64url')],
    ];
  });
  const percent = encodeURIComponent(head);
  const all: [string, string][] = [
    ['as it is', head],
    ['JSON', json],
    ['JSON twice', JSON.stringify(json).slice(1, -1)],
    ['percent', percent],
    ['percent in lower case', percent.replace(/%[0-9A-F]{2}/g, (unit) => unit.toLowerCase())],
    ['percent, once more', encodeURIComponent(percent)],
    ['address', encodeURI(head)],
    ['form', new URLSearchParams({ a: head }).toString().slice(2)],
    ['HTML', html],
    ['HTML by name', named],
    ['hexadecimal', bytes.toString('hex')],
    ...base64,
    ...head
      .split('\n')
      .filter((line) => line.length >= 8)
      .map((line): [string, string] => ['a line', line]),
  ];
  return all.filter(([, needle]) => needle.length >= 8);
}

/** All files below a folder by their path, as text. */
export async function filesBelow(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((each) => each.isFile())) {
    const path = join(entry.parentPath, entry.name);
    // A file of a living runner may be gone by now.
    const content = await readFile(path, 'utf8').catch(() => null);
    if (content !== null) files.set(path, content);
  }
  return files;
}

import { printable } from '../../lib/printable.ts';

/** The title of an HTML page, null for what has none: it tells people whose page answered. */
export function titleOf(html: string): string | null {
  const title = /<title[^>]*>([^<]{1,200})/i.exec(html)?.[1];
  return title === undefined ? null : printable(title).trim().replace(/\s+/g, ' ').slice(0, 80);
}

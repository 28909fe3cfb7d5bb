/** Text as XML and HTML hold it, also within attributes. Characters that XML 1.0 cannot hold are left out. */
export function escaped(text: string): string {
  return text.replace(unspeakable, '').replace(/[&<>"']/g, (sign) => entities[sign] ?? sign);
}

/** Attributes in front of which a space stands; null leaves one out. */
export function attributes(values: Readonly<Record<string, string | number | null>>): string {
  return Object.entries(values)
    .flatMap(([name, value]) => (value === null ? [] : [` ${name}="${escaped(String(value))}"`]))
    .join('');
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

// Everything but XML 1.0's production [2] Char, which lone surrogates are not in either.
const unspeakable = /[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/gu;

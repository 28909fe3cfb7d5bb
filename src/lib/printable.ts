/** Text of a flow, a page or a peer as a terminal may show it: on one line, without escape sequences. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

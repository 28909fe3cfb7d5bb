import type { ServerResponse } from 'node:http';
import { type ChainNode, chain } from './chain.ts';
import { html, type Page } from './site.ts';

/** Secrets that programs stumble over. */
export const awkwardSecrets: Readonly<Record<string, string>> = {
  QUOTES: `q"uo'te\\s and <tags> & more`,
  PERCENT: '100%25 sure%41 %zz+plus',
  UNICODE: 'pässwörd-пароль-🔑🔑',
  LINES: 'first secret line\nsecond secret line',
  JSONISH: '{"key":"secret/value"}',
  REGEX: '^(secret+)+$.*[x]{2,}',
  LONG: `${'long-secret '.repeat(341)}end!`,
  BASE64: 'QWxhZGRpbjpvcGVuIHNlc2FtZQ==',
};

/** Where the field for the secret is in every page that has one. */
export const secretField = { x: 22, y: 62, width: 196, height: 26 };

const field =
  '<input id="pw" style="position:absolute;left:20px;top:60px;width:200px;height:30px;border:0;padding:0">';
const mirrored = `${field}<p id="echo" style="margin:0;width:300px"></p>
  <script>document.querySelector('#pw').addEventListener('input', (event) => {
    document.querySelector('#echo').textContent = event.target.value; });</script>`;

/** The pages of flows that fail: they echo what is typed in several ways. */
export const secretPages: Readonly<Record<string, Page>> = {
  '/login': `${mirrored}<input id="box" type="checkbox"><input id="readonly" readonly value="x">
    <button id="covered">covered</button><div style="position:absolute;inset:150px 0 0 0"></div>
    <button id="off" disabled>off</button>`,
  '/alert': `${mirrored}<script>document.querySelector('#pw').addEventListener('input', (event) => {
    alert('typed ' + event.target.value); });</script>`,
  '/busy': `${mirrored}<button id="hang" onclick="for (;;) {}">hang</button>`,
  '/never': () => {},
  '/reset': (response: ServerResponse) => response.destroy(),
  '/echo': (response: ServerResponse, url: URL) =>
    html(response, `<p id="echo">${url.search.replaceAll('<', '&lt;')}</p>`),
};

/** A flow that ends with a step that fails, and the kind that this has. */
export interface FailingFlow {
  name: string;
  kind: string;
  flow: ReturnType<typeof chain>;
  /** What its picture shows: the page with the field, another (of the browser itself), or there is none. */
  picture: 'field' | 'other' | 'none';
}

/** Every node type made to fail in each way it can, with the secret `name` in the page and in the step. */
export function failingFlows(name: string): FailingFlow[] {
  const secret = `{{${name}}}`;
  const node = (type: string, data: Record<string, unknown>): ChainNode => ({ id: 'last', type, data });
  const failing = (
    title: string,
    kind: string,
    last: ChainNode,
    { page = 'login', before = [] as ChainNode[], picture = 'field' as FailingFlow['picture'] } = {},
  ): FailingFlow => ({
    name: `${title}, ${name}`,
    kind,
    picture,
    flow: chain(
      { id: 'open', type: 'navigate', data: { url: `{{SITE}}/${page}` } },
      { id: 'pw', type: 'type', data: { selector: '#pw', value: secret } },
      ...before,
      last,
    ),
  });
  const soon = { timeoutMs: 400 };
  const seen: ChainNode = { id: 'seen', type: 'extract', data: { selector: '#echo', variable: 'seen' } };
  return [
    failing('navigate to what is no address', 'invalid_data', node('navigate', { url: secret })),
    failing(
      'navigate to a port that is closed',
      'blocked',
      node('navigate', { url: `http://127.0.0.1:1/?p=${secret}` }),
      { picture: 'other' },
    ),
    failing(
      'navigate to an answer that is cut',
      'navigation',
      node('navigate', { url: `{{SITE}}/reset?p=${secret}` }),
      { picture: 'other' },
    ),
    failing(
      'navigate to an answer that never comes',
      'timeout',
      node('navigate', { url: `{{SITE}}/never?p=${secret}`, ...soon }),
    ),
    failing(
      'navigate by what was extracted',
      'navigation',
      node('navigate', { url: '{{SITE}}/reset?p={{seen}}' }),
      { before: [seen], picture: 'other' },
    ),
    failing(
      'click what is not there',
      'not_found',
      node('click', { selector: `#x >> text="${secret}"`, selectors: ['#x'], ...soon }),
    ),
    failing(
      'click what is covered',
      'not_actionable',
      node('click', { selectors: [`[title="${secret}"]`, '#off'], ...soon }),
    ),
    failing('click by no selector', 'invalid_data', node('click', { selector: `[[${secret}`, ...soon })),
    failing(
      'type into what is not there',
      'not_found',
      node('type', { selector: '#x', value: secret, ...soon }),
    ),
    failing(
      'type into a check box',
      'not_actionable',
      node('type', { selector: '#box', value: secret, ...soon }),
    ),
    failing(
      'type into what is read-only',
      'not_actionable',
      node('type', { selector: '#readonly', value: secret, ...soon }),
    ),
    failing('wait for no number', 'invalid_data', node('wait', { ms: secret })),
    failing(
      'assertion of another text',
      'assertion',
      node('assertion', { selector: '#echo', value: 'another', ...soon }),
    ),
    failing(
      'assertion of the secret',
      'assertion',
      node('assertion', { selector: '#covered', value: secret, ...soon }),
    ),
    failing(
      'assertion of what is not there',
      'not_found',
      node('assertion', { selector: '#x', value: secret, ...soon }),
    ),
    failing(
      'extract of what is not there',
      'not_found',
      node('extract', { selector: '#x', variable: 'a', ...soon }),
      { before: [seen], page: 'alert' },
    ),
    failing('click on a page that hangs', 'timeout', node('click', { selector: '#hang', timeoutMs: 600 }), {
      page: 'busy',
      picture: 'none',
    }),
  ];
}

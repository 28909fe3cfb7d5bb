import { limits } from '../../src/protocol/limits.ts';
import { problems } from '../../src/protocol/problem.ts';
import { bodyLimitOf, type Route, type RouteName, routes } from '../../src/protocol/routes.ts';

/** docs/protocol.md, made from the tables of src/protocol: what the wire is stands in code once. */
export function protocolDocument(): string {
  return [
    '# The protocol',
    '',
    'Made from `src/protocol/routes.ts`, `problem.ts` and `limits.ts`; do not edit it here. After a change of those run',
    '`npx vitest run --config vitest.check.config.ts -u`. The schemas of all bodies: `GET /openapi.json` of a bridge.',
    '',
    ...introduction,
    '## Routes',
    '',
    ...routeTables(),
    '## Problems',
    '',
    'Errors are `application/problem+json` (RFC 9457) with a `code`. *Runner* is what the runner does with it.',
    '',
    '| code | status | meaning | runner |',
    '|---|---|---|---|',
    ...Object.entries(problems).map(
      ([code, { status, title, runner }]) => `| \`${code}\` | ${status} | ${title} | ${runner} |`,
    ),
    '',
    '## Limits',
    '',
    '| name | value |',
    '|---|---|',
    ...Object.entries(limits).map(([name, value]) => `| \`${name}\` | ${readable(name, value)} |`),
    '',
  ].join('\n');
}

const introduction = [
  '## Signatures',
  '',
  'HTTP Message Signatures (RFC 9421), profile `qualinet-v1`: one label `q`, `hmac-sha256`, and exactly these components,',
  'in this order; anything else is refused.',
  '',
  '- request with a body: `"@method" "@authority" "@path" "@query" "content-type" "content-digest"`; without: the first four',
  '- answer: `"@status" "content-type" "content-digest" "@method";req "@path";req "signature";req;key="q"`',
  '- parameters: `created`, `expires` (60 s later), `nonce` (16 random bytes), `keyid`, `tag` (`qualinet-req-v1`, `qualinet-res-v1`)',
  '- `Content-Digest` is `sha-256` (RFC 9530). Authority and path come from PUBLIC_URL, never from the Host header.',
  '- keys: `rk1.<runnerId>.<generation>` = HKDF-SHA256(WORKER_SECRET, salt runnerId, info `qualinet/runner-hmac/v1/<generation>`);',
  '  `ws1.<runnerId>` for enrolment, info `qualinet/enrol-hmac/v1`; `mp1` from QUALINET_MANAGED_PAIR_SECRET, info `qualinet/managed-pair-hmac/v1`',
  '- a key travels to its runner once, wrapped: X25519, HKDF-SHA256 (salt keyid, info `qualinet/key-wrap/v1`), AES-256-GCM with the keyid as additional data',
  '',
  'An answer is signed whenever the signature of its request verified, errors included. Event streams are not signed:',
  'what they say are hints, and nothing is decided by them.',
  '',
  '## Versions',
  '',
  'Bodies that runners and bridges send each other may hold fields and orders that the other side does not know: it ignores them.',
  "Operators' requests are strict. A poll of a runner that cannot be served gets 426 `upgrade_required` with `minVersion`, `since` and,",
  'where it speaks another protocol, `protocol`: the version that the bridge speaks. Until an announced end, answers to polls and to',
  '`runnerSelf` have a `notice` with `minVersion` and `from`.',
  '',
  '## Life of a lease',
  '',
  '`ready -> offered -> leased -> done`, and `ready` again after a missed acknowledgement, a release or an expiry; `failed`',
  'when the attempts are used up, `cancelled` on request. The fence grows by one with every grant. Every request about a',
  'lease carries `leaseId` in its path and `fence` in its body; a stale one gets 409 `lease_lost` and changes nothing, a',
  'repeated one the same answer again. Step events are numbered from 1 within a fence; operators see them as SSE with',
  "`id: <fence>-<seq>`, between the bridge's own `run_start` (seq 0) and `run_complete`.",
  '',
  'Answers to polls and heartbeats carry `orders`: `cancel` (a heartbeat only: end this run), `drain` (no further runs while it is said),',
  '`rotate` (renew the key).',
  '',
];

const audiences: [string, readonly Route['auth'][]][] = [
  ['Pairing', ['none', 'managed', 'enrol']],
  ['Runner (signed)', ['runner']],
  ['Pictures of the embedded default', ['presigned']],
  ['Operators (`Authorization: Bearer`)', ['operator', 'operator-or-near']],
];

function routeTables(): string[] {
  return audiences.flatMap(([title, auths]) => [
    `### ${title}`,
    '',
    '| name | request | what it does | auth | body limit | problems of its own |',
    '|---|---|---|---|---|---|',
    ...(Object.entries(routes) as [RouteName, Route][])
      .filter(([, { auth }]) => auths.includes(auth))
      .map(([name, route]) => {
        const limit =
          route.method === 'POST' || route.method === 'PUT' ? readable('Bytes', bodyLimitOf(name)) : '';
        const codes = (route.problems ?? []).map((code) => `\`${code}\``).join(', ');
        return `| ${name} | \`${route.method} ${route.path}\` | ${route.summary} | ${route.auth} | ${limit} | ${codes} |`;
      }),
    '',
    ...(auths.includes('operator-or-near') ? near : []),
  ]);
}

const near = [
  '`operator-or-near`: the token, or none where the connection itself comes from a loopback or private address (127/8, 10/8,',
  '172.16/12, 192.168/16, ::1, fc00::/7), which is not among QUALINET_TRUSTED_PROXIES, and the request has none of `Authorization`,',
  '`Forwarded`, `Via`, `X-Forwarded-*` and `X-Real-IP`: a scraper in the network needs no secret, and what a proxy brings in does.',
  '',
];

function readable(name: string, value: number): string {
  if (/bytes/i.test(name))
    return value % (1024 * 1024) === 0 ? `${value / (1024 * 1024)} MiB` : `${value / 1024} KiB`;
  if (/Ms$/.test(name)) return value % 60_000 === 0 ? `${value / 60_000} min` : `${value / 1_000} s`;
  return String(value);
}

import { createHash, createHmac, randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Bridge } from '../../src/bridge/bridge.ts';
import { Secret } from '../../src/lib/secret.ts';
import { deriveKey, newExchangeKeys, parseKeyid, unwrapKey } from '../../src/protocol/keys.ts';
import type { WrappedKey } from '../../src/protocol/messages.ts';
import { operatorRequest } from './signed-client.ts';
import {
  type OperatorStep,
  type RecordedAnswer,
  type RecordedRequest,
  releasedFolder,
} from './wire-recording.ts';

/** One message of the recording and what today's bridge said to it. */
export interface Replayed {
  recorded: RecordedRequest;
  status: number;
  body: unknown;
  /** What the runner of that version would not have taken of the answer; empty when it would go on. */
  faults: string[];
}

/** What the bridge must share with the runners of the recording. */
export interface ReplaySecrets {
  workerSecret: string;
  managedSecret: string;
}

/**
 * Says to `bridge` what the runner of `version` said to its own, in order, and judges the answers as that runner would: by
 * its schemas, and by its own form of signatures, which is made here from the RFC's words and by none of our code.
 */
export async function replayRunner(
  version: string,
  bridge: Bridge,
  secrets: ReplaySecrets,
): Promise<{ replayed: Replayed[]; runIds: string[] }> {
  const exchanges = await readLines<RecordedRequest | OperatorStep>(version, 'exchanges');
  const schemas = new Map(
    (await readLines<RecordedAnswer>(version, 'answers')).map(({ route, schema }) => [
      route,
      z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]),
    ]),
  );
  const picture = Buffer.from('89504e470d0a1a0a', 'hex');
  const values = new Map<string, string | number>([
    ['picture', picture.toString('latin1')],
    ['bytes', picture.length],
    ['sha256', createHash('sha256').update(picture).digest('hex')],
    ['runnerId', randomUUID()],
  ]);
  const keys = new Map<string, Secret>();
  let exchangeKeys = newExchangeKeys();
  const replayed: Replayed[] = [];
  const runIds: string[] = [];

  for (const step of exchanges) {
    if ('operator' in step) await operate(step);
    else replayed.push(await send(step));
  }
  return { replayed, runIds };

  async function operate(step: OperatorStep): Promise<void> {
    const call = async (path: string, body: unknown): Promise<Record<string, unknown>> => {
      const answer = await operatorRequest(bridge, 'POST', path, body);
      if (answer.status !== 200) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    };
    switch (step.operator) {
      case 'code': {
        const { code } = await call('/v1/codes', { managed: step.managed, autoApprove: step.managed });
        values.set('code', String(code));
        exchangeKeys = newExchangeKeys();
        values.set('publicKey', exchangeKeys.publicKey);
        return;
      }
      case 'approve':
        return void (await call(`/v1/runners/${values.get('runnerId')}/decision`, { approve: true }));
      case 'submit':
        return void runIds.push(String((await call('/v1/runs', step.flow))['runId']));
      case 'cancel':
        return void (await call(`/v1/runs/${runIds.at(-1)}/cancel`, {}));
    }
  }

  async function send(recorded: RecordedRequest): Promise<Replayed> {
    if (recorded.route === 'enrol') values.set('runnerId', randomUUID());
    if (recorded.route === 'rotateCredentials') {
      exchangeKeys = newExchangeKeys();
      values.set('publicKey', exchangeKeys.publicKey);
    }
    const path = String(filled(recorded.path));
    const url = new URL(path, bridge.publicUrl);
    const body = recorded.body === undefined ? null : bytesOf(filled(recorded.body));
    const headers: Record<string, string> = { ...recorded.headers };
    const form = headers['signature-input'];
    let secret: Secret | null = null;
    if (form !== undefined) {
      if (body !== null) headers['content-digest'] = digestOf(body);
      const nowS = Math.floor(Date.now() / 1_000);
      values
        .set('created', nowS)
        .set('expires', nowS + 60)
        .set('nonce', randomBytes(16).toString('base64url'));
      headers['signature-input'] = String(filled(form));
      secret = keyOf(/keyid="([^"]+)"/.exec(headers['signature-input'])?.[1] ?? '');
      headers['signature'] = `q=:${macOf(secret, requestBase(recorded.method, url, headers))}:`;
    }
    const stop = new AbortController();
    const response = await fetch(url, {
      method: recorded.method,
      headers,
      ...(body === null ? {} : { body: new Uint8Array(body) }),
      signal: stop.signal,
    });
    if (recorded.route === 'control') {
      const type = response.headers.get('content-type') ?? '';
      stop.abort();
      const faults = type.startsWith('text/event-stream') ? [] : [`a stream of ${type}`];
      return { recorded, status: response.status, body: null, faults };
    }
    const bytes = Buffer.from(await response.arrayBuffer());
    const json: unknown = JSON.parse(bytes.toString());
    const schema = schemas.get(response.status === 200 ? recorded.route : 'problem');
    const parsed = schema?.safeParse(json);
    const faults = parsed?.error?.issues.map(({ path: at, message }) => `${at.join('.')}: ${message}`) ?? [];
    if (recorded.answerSignature !== undefined) {
      const fault = signatureFault(response, bytes, recorded, url, headers, secret);
      if (fault !== null) faults.push(fault);
    }
    if (response.status === 200) learn(recorded.route, json as Record<string, unknown>);
    return { recorded, status: response.status, body: json, faults };
  }

  function learn(route: string, answer: Record<string, unknown>): void {
    if (route === 'redeemCode' || route === 'redeemManagedCode') {
      values.set('runnerId', String(answer['runnerId'])).set('claimToken', String(answer['claimToken']));
    }
    if (answer['wrappedKey'] !== undefined) {
      const keyid = String(answer['keyid']);
      keys.set(keyid, unwrapKey(answer['wrappedKey'] as WrappedKey, exchangeKeys.privateKey, keyid));
    }
    if (route === 'requestUpload') {
      values.set('uploadUrl', String(answer['url'])).set('screenshotUrl', String(answer['publicUrl']));
    }
    const [lease] = (answer['leases'] as { leaseId: string; fence: number }[] | undefined) ?? [];
    if (lease !== undefined) values.set('leaseId', lease.leaseId).set('fence', lease.fence);
  }

  function keyOf(keyid: string): Secret {
    const name = parseKeyid(keyid);
    if (name === null) throw new Error(`no key is named ${keyid}`);
    const shared = name.kind === 'managed' ? secrets.managedSecret : secrets.workerSecret;
    return keys.get(keyid) ?? deriveKey(new Secret(shared), name);
  }

  function filled(value: unknown): unknown {
    if (typeof value === 'string') {
      const whole = /^\{\{(\w+)\}\}$/.exec(value)?.[1];
      if (whole !== undefined) return known(whole);
      return value.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(known(name)));
    }
    if (Array.isArray(value)) return value.map(filled);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, filled(inner)]));
  }

  function known(name: string): string | number {
    const value = values.get(name);
    if (value === undefined) throw new Error(`the recording needs ${name} before anything told it`);
    return value;
  }
}

async function readLines<T>(version: string, file: string): Promise<T[]> {
  const text = await readFile(join(releasedFolder, version, `${file}.jsonl`), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function bytesOf(body: unknown): Buffer {
  return typeof body === 'string' ? Buffer.from(body, 'latin1') : Buffer.from(JSON.stringify(body));
}

function digestOf(bytes: Uint8Array): string {
  return `sha-256=:${createHash('sha256').update(bytes).digest('base64')}:`;
}

function macOf(secret: Secret, base: string): string {
  return createHmac('sha256', Buffer.from(secret.reveal(), 'base64url')).update(base).digest('base64');
}

/** The signature base of RFC 9421, section 2.5: one line a component, in the order that `signature-input` names them. */
function signatureBase(input: string, partOf: (component: string) => string): string {
  const parameters = input.replace(/^q=/, '');
  const list = /^\(([^)]*)\)/.exec(parameters)?.[1] ?? '';
  const lines = list.split(' ').map((component) => `${component}: ${partOf(component)}`);
  return [...lines, `"@signature-params": ${parameters}`].join('\n');
}

function requestBase(method: string, url: URL, headers: Readonly<Record<string, string>>): string {
  return signatureBase(headers['signature-input'] ?? '', (component) =>
    requestPart(component, method, url, headers),
  );
}

function requestPart(
  component: string,
  method: string,
  url: URL,
  headers: Readonly<Record<string, string>>,
): string {
  switch (component) {
    case '"@method"':
      return method;
    case '"@authority"':
      return url.host;
    case '"@path"':
      return url.pathname;
    case '"@query"':
      return url.search === '' ? '?' : url.search;
    default:
      return headers[component.replaceAll('"', '')] ?? '';
  }
}

/** Why a runner of that version would not believe the answer; null when it would. */
function signatureFault(
  response: Response,
  bytes: Uint8Array,
  recorded: RecordedRequest,
  url: URL,
  headers: Readonly<Record<string, string>>,
  secret: Secret | null,
): string | null {
  const input = response.headers.get('signature-input') ?? '';
  const ownKeyid = /keyid="[^"]+"/.exec(headers['signature-input'] ?? '')?.[0] ?? '';
  const form = input
    .replace(/created=\d+/, 'created={{created}}')
    .replace(/expires=\d+/, 'expires={{expires}}')
    .replace(/nonce="[^"]*"/, 'nonce="{{nonce}}"')
    .replace(ownKeyid, /keyid="[^"]+"/.exec(recorded.answerSignature ?? '')?.[0] ?? '');
  if (form !== recorded.answerSignature) return `the answer is signed as ${input}`;
  if (response.headers.get('content-digest') !== digestOf(bytes)) return 'the digest does not fit the answer';
  const base = signatureBase(input, (component) => {
    if (component === '"@status"') return String(response.status);
    if (component === '"signature";req;key="q"') return (headers['signature'] ?? '').replace(/^q=/, '');
    if (component.endsWith(';req')) return requestPart(component.slice(0, -4), recorded.method, url, headers);
    return response.headers.get(component.replaceAll('"', '')) ?? '';
  });
  const expected = secret === null ? '' : `q=:${macOf(secret, base)}:`;
  return response.headers.get('signature') === expected ? null : 'the signature does not fit the answer';
}

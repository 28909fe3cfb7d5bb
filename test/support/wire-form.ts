import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { type Route, type RouteName, routes } from '../../src/protocol/routes.ts';
import { type RecordedRequest, recordedHeaders } from './wire-recording.ts';

/** A request of a runner and its answer, as they passed. */
export interface Exchanged {
  name: RouteName;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
  answer: IncomingMessage;
  answerBody: Buffer;
}

/** Fields whose values are of one run of the recording only. */
const ofTheMoment = new Map<string, string>([
  ['code', 'code'],
  ['publicKey', 'publicKey'],
  ['claimToken', 'claimToken'],
  ['runnerId', 'runnerId'],
  ['fence', 'fence'],
  ['sha256', 'sha256'],
  ['bytes', 'bytes'],
  ['screenshotUrl', 'screenshotUrl'],
]);
/** Fields that would tell of the machine the recording was made on. */
const ofTheMachine: Readonly<Record<string, string>> = {
  hostname: 'recorded-host',
  osRelease: '6.1.0',
};

/** The form of an exchange: what a runner of this version sends, without what is of one run only. */
export function wireForm({ name, method, path, headers, body, answer }: Exchanged): RecordedRequest {
  const { auth }: Route = routes[name];
  const isPicture = name === 'putBlob';
  const signature = answer.headers['signature-input'];
  return {
    route: name,
    auth,
    method,
    path: isPicture ? '{{uploadUrl}}' : path.replace(/\/leases\/[0-9a-f-]{36}\//, '/leases/{{leaseId}}/'),
    headers: Object.fromEntries(
      recordedHeaders.flatMap((header) => {
        const value = headers[header];
        return value === undefined ? [] : [[header, signatureForm(String(value))]];
      }),
    ),
    ...(body.length === 0
      ? {}
      : { body: isPicture ? '{{picture}}' : formOf(JSON.parse(body.toString()), '') }),
    status: answer.statusCode ?? 0,
    ...(signature === undefined ? {} : { answerSignature: signatureForm(String(signature)) }),
  };
}

function formOf(value: unknown, field: string): unknown {
  const name = ofTheMoment.get(field);
  // The code of an error is a word of the protocol.
  if (name !== undefined && !(field === 'code' && !/^\d{6}$/.test(String(value)))) return `{{${name}}}`;
  if (ofTheMachine[field] !== undefined) return ofTheMachine[field];
  if (Array.isArray(value)) return value.map((item) => formOf(item, ''));
  if (typeof value === 'string') return withoutPlaces(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, formOf(inner, key)]));
}

// Ports and folders of the recording say nothing about the version.
function withoutPlaces(text: string): string {
  return text
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:1')
    .replace(/(\/[\w.-]+){2,}(?=[\s:'",]|$)/g, '/a/path');
}

function signatureForm(value: string): string {
  return value
    .replace(/created=\d+/, 'created={{created}}')
    .replace(/expires=\d+/, 'expires={{expires}}')
    .replace(/nonce="[^"]*"/, 'nonce="{{nonce}}"')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, '{{runnerId}}');
}

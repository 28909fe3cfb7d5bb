import { labelsSchema } from '../../protocol/messages.ts';
import { setting } from './setting.ts';
import { list, optionalText, parsedBy, secretOfLength, yesOrNo } from './values.ts';

/** Which bridge this is a runner of, and as whom. */
export const bridgeSettings = {
  /** Without a slash at the end; null when nothing names one (a paired runner has its own). */
  apiBaseUrl: setting({
    variables: ['API_BASE_URL'],
    flag: '--api',
    summary: 'Address of the bridge; a paired runner has its own',
    value: optionalText.transform(parsedBy(normaliseApiBaseUrl)),
  }),
  workerSecret: setting({
    variables: ['WORKER_SECRET'],
    summary: "The bridge's own secret, only for unpaired containers of the operator's own",
    value: secretOfLength(16),
  }),
  isManagedPairAllowed: setting({
    variables: ['QUALINET_ALLOW_MANAGED_PAIR'],
    summary: '`true` lets this machine pair as a managed runner',
    value: yesOrNo,
  }),
  managedPairSecret: setting({
    variables: ['QUALINET_MANAGED_PAIR_SECRET'],
    summary: 'What managed pairing proves to know; 32 characters or more, never sent',
    value: secretOfLength(32),
  }),
  name: setting({
    variables: [],
    flag: '--name',
    summary: 'What operators call this runner (default: the host name)',
    value: optionalText.refine(
      (text) => text === null || text.length <= 200,
      'must have at most 200 characters',
    ),
  }),
  labels: setting({
    variables: [],
    flag: '--labels',
    summary: 'Labels of this runner, separated by commas',
    value: list.pipe(labelsSchema),
  }),
};

/** A bridge's address as it is stored and signed for; throws a text that says what is wrong with it. */
export function normaliseApiBaseUrl(written: string): string {
  const url = URL.canParse(written) ? new URL(written) : null;
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new Error(`"${written}" is no address; write https://…`);
  }
  if (url.username !== '' || url.password !== '') throw new Error('must not hold a user name or password');
  if (url.search !== '' || url.hash !== '') throw new Error('must not hold a query or a fragment');
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

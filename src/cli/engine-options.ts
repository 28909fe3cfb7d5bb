import type { CommandOption } from '../command-line/command.ts';

// Options of every command that executes flows, as help shows them. engine-flags.ts has their types: it loads zod, which help must not.

/** Options of every command that reaches a bridge, and of those that execute flows. */
export const wayOptions: readonly CommandOption[] = [
  { flags: '--ca-file <file>', summary: 'PEM file of certificates to trust besides the usual ones' },
];

const browserOptions: readonly CommandOption[] = [
  {
    flags: '--browser <path>',
    summary: 'Chromium to use (default: QUALINET_BROWSER, then what is found)',
  },
  { flags: '--headed', summary: 'Show the browser window' },
  { flags: '--allow-root', summary: 'Run as root, which means a Chromium without its sandbox' },
];

const networkOptions: readonly CommandOption[] = [
  {
    flags: '--network <profile>',
    summary: 'What flows may reach: open, lan (no loopback, link-local, cloud metadata) or public',
    values: ['open', 'lan', 'public'],
  },
  {
    flags: '--allow-host <host>',
    summary: 'A host that flows may reach besides: localhost:3000, *.corp.example, 10.0.0.0/8',
    repeatable: true,
  },
  { flags: '--only-hosts <hosts>', summary: 'The only hosts flows may reach, separated by commas' },
  {
    flags: '--browser-proxy <url>',
    summary: 'Proxy that flows go through, or none (default: HTTPS_PROXY, HTTP_PROXY, NO_PROXY)',
  },
];

const secretOptions: readonly CommandOption[] = [
  {
    flags: '--secrets <file>',
    summary: "This machine's secrets as JSON, used in flows as {{NAME}} and told to nobody",
  },
];

const policyOptions: readonly CommandOption[] = [
  {
    flags: '--policy <file>',
    summary: 'Rules that no flow can loosen: hosts, node types, longest run, uploads',
  },
];

const fileOptions: readonly CommandOption[] = [
  {
    flags: '--files <folder>',
    summary: 'The only folder whose files flows may upload, and where they may keep some',
  },
];

/** All of them, in the order of help. */
export const engineOptions: readonly CommandOption[] = [
  ...wayOptions,
  ...networkOptions,
  ...secretOptions,
  ...policyOptions,
  ...fileOptions,
  ...browserOptions,
];

/** Options of `start` about the life of a runner. */
export const lifeOptions: readonly CommandOption[] = [
  { flags: '--concurrency <runs>', summary: 'Runs at the same time (default: 1)' },
  {
    flags: '--health-listen <address>',
    summary: 'Answer /live, /ready and /metrics there: 4871, for this machine only, or HOST:PORT',
  },
];

/** Options of `start` that a service takes: it has no window, and is never root. */
export const serviceOptions: readonly CommandOption[] = [...lifeOptions, ...engineOptions].filter(
  ({ flags }) => flags !== '--headed' && flags !== '--allow-root',
);

import type { Frame } from 'playwright-core';
import type { LocalSecret } from '../../flow/local-secrets.ts';
import { portOf } from '../../lib/host-and-port.ts';
import { StepFailure } from './step-error.ts';

/**
 * Throws StepFailure `blocked` unless the secrets may be given to the document of this frame and to every page around it:
 * whoever shows a frame can lay something over it. Gives the origin of the frame.
 */
export function ensureFrameMayHave(secrets: readonly LocalSecret[], frame: Frame): string {
  const addresses: string[] = [];
  for (let each: Frame | null = frame; each !== null; each = each.parentFrame()) {
    // What stands in a frame without an address of its own was written by the page around it.
    if (each.url() !== 'about:srcdoc' || each.parentFrame() === null) addresses.push(each.url());
  }
  return ensureAddressesMayHave(secrets, addresses);
}

/** The same for an address that is about to be opened. */
export function ensureAddressMayHave(secrets: readonly LocalSecret[], address: string): string {
  return ensureAddressesMayHave(secrets, [address]);
}

function ensureAddressesMayHave(secrets: readonly LocalSecret[], addresses: readonly string[]): string {
  for (const secret of secrets) {
    const { hosts } = secret;
    if (hosts === null) continue;
    for (const address of addresses) {
      const host = hostOf(address);
      const isNamed = host !== null && hosts.some((pattern) => pattern.matchesHost(host.name, host.port));
      if (!isNamed) throw new StepFailure('blocked', refusal(secret, host));
    }
  }
  const [first = ''] = addresses;
  return URL.canParse(first) ? new URL(first).origin : 'null';
}

interface Host {
  name: string;
  port: number;
  /** As a rule names it: with its port only where that is none that its scheme implies. */
  text: string;
}

/** Null for what is no page of a site: nobody can say who wrote it. */
function hostOf(address: string): Host | null {
  if (!URL.canParse(address)) return null;
  const url = new URL(address);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return null;
  return { name: url.hostname, port: portOf(url), text: url.host };
}

function refusal({ name, hosts, namesHosts }: LocalSecret, host: Host | null): string {
  if (host === null) return `the secret ${name} is given to pages of http and https addresses only`;
  const entry = `the entry of ${name} in this machine's secrets file (--secrets)`;
  const list = [...new Set([...(namesHosts ? (hosts ?? []).map(({ text }) => text) : []), host.text])];
  const change = `To allow it, write "hosts": ${JSON.stringify(list)} into ${entry}`;
  return namesHosts
    ? `the secret ${name} may not be given to ${host.text}, only to ${list.slice(0, -1).join(', ')}. ${change}`
    : `the secret ${name} names no hosts, and this machine's options do not name ${host.text}. ${change}, or start with --allow-host ${host.text}`;
}

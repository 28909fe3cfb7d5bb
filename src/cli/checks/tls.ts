import { isLoopbackHost } from '../../lib/host-and-port.ts';
import { type Check, type Finding, failed, ok, warning } from './check.ts';
import { type LeafCertificate, tlsFinding, tlsRefusal } from './tls-problem.ts';

/** An end of a certificate that is this near is worth a warning. */
const soonMs = 14 * 86_400_000;

export const tls: Check = {
  name: 'tls',
  title: 'TLS',
  needs: ['connection'],
  fix: 'Check that a bridge with https: listens at this address and port',
  async run({ clock, target: ask, way }, signal) {
    const target = await ask();
    if (target.protocol === 'http:') return withoutTls(target);
    const opened = await way.open(target, signal);
    if ('refusal' in opened) return failed(`the proxy answers ${opened.refusal.status}`, tls.fix);
    try {
      const secured = await way.secure(target, opened.socket);
      const certificate = leafOf(secured.getPeerCertificate());
      // What Node's types call an Error is the code of one.
      const problem: unknown = secured.authorizationError;
      const version = secured.getProtocol() ?? 'TLS';
      secured.destroy();
      if (problem !== null && problem !== undefined)
        return tlsFinding(String(problem), certificate, { target, nowMs: clock.nowMs() });
      const text = `${version}, certificate of ${certificate.subject} by ${certificate.issuer}, good until ${certificate.validTo}`;
      return Date.parse(certificate.validTo) - clock.nowMs() < soonMs
        ? warning(text, 'Its operators must renew the certificate of the bridge')
        : ok(text);
    } catch (error) {
      signal.throwIfAborted();
      return tlsRefusal(error, target);
    } finally {
      opened.socket.destroy();
    }
  },
};

function withoutTls({ hostname, host }: URL): Finding {
  return isLoopbackHost(hostname)
    ? ok('not used: the bridge is on this machine')
    : warning(
        'not used: flows and their variables travel in the clear',
        `Put TLS in front of the bridge, then pair anew: qualinet pair CODE --force --api https://${host}`,
      );
}

function leafOf(certificate: {
  subject?: { CN?: string | string[] };
  issuer?: { CN?: string | string[]; O?: string | string[] };
  subjectaltname?: string | undefined;
  valid_from?: string;
  valid_to?: string;
}): LeafCertificate {
  const { subject, issuer, subjectaltname = '', valid_from = '', valid_to = '' } = certificate;
  const first = (name: string | string[] | undefined): string => [name].flat()[0] ?? '';
  const names = subjectaltname.split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''));
  return {
    subject: first(subject?.CN) || names[0] || '(no name)',
    issuer: first(issuer?.CN) || first(issuer?.O) || '(no name)',
    names: names.filter((name) => name !== ''),
    validFrom: valid_from,
    validTo: valid_to,
  };
}

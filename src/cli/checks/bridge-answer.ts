import { duration } from '../../lib/duration.ts';
import { printable } from '../../lib/printable.ts';
import { type Check, type Finding, failed, ok } from './check.ts';
import { titleOf } from './page-title.ts';

export const bridgeAnswer: Check = {
  name: 'bridge',
  title: 'Bridge',
  needs: ['connection', 'tls'],
  fix: 'It takes connections and does not answer: ask its operators, and the administrators of what is in between',
  async run({ address, askHealth }) {
    const { url } = (await address()) ?? { url: '' };
    const { status, location, text, tookMs } = await askHealth();
    if (status === 200 && text.trim() === 'ok') return ok(`${url} answers in ${duration(tookMs)}`);
    return notTheBridge(url, status, location, text);
  },
};

function notTheBridge(url: string, status: number, location: string | null, text: string): Finding {
  const title = titleOf(text);
  if (status >= 300 && status < 400) {
    return failed(
      `${url} leads on to ${printable(location ?? 'nowhere').slice(0, 200)} (${status}); a runner follows no redirects`,
      'Use the address of the bridge itself; a login page in between must let this machine through',
    );
  }
  // Load balancers say it by an HTML page, too.
  if (status >= 502 && status <= 504) {
    return failed(
      `${url} answers ${status}${title === null ? '' : ` ("${title}")`}: what stands before the bridge does not reach it`,
      'Ask the operators whether the bridge runs: GET /readyz says what it lacks',
    );
  }
  if (title !== null || /^\s*<(!doctype|html)/i.test(text)) {
    return failed(
      `${url} is answered by an HTML page${title === null ? '' : ` ("${title}")`} (${status}), not by a bridge`,
      'Is that a login page or a block page of your network? Ask its administrators; else correct --api',
    );
  }
  return failed(
    `${url} answers ${status}, which is not what a bridge says`,
    'Check the address and its path: --api https://…',
  );
}

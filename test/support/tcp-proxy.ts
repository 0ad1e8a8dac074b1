import { LinkProxy } from '../../src/controller/shell/rehearsal/link-proxy.js';
import { systemClock } from '../../src/shared/kernel/system-clock.js';

/** The rehearsal's proxy on real time. */
export const TcpProxy = {
  start: (target: { readonly host?: string; readonly port: number }): Promise<LinkProxy> =>
    LinkProxy.start(target, systemClock),
};

import { hostname, userInfo } from 'node:os';

/** user@host: whom an agent names when it is busy with a run of this controller. */
export function controllerIdentity(): string {
  return `${userInfo().username}@${hostname()}`;
}

/** The config is copied into the results, so nothing in it may be secret. */
import type { KeyPath, Problem } from './path.js';

const secretKey =
  /^(?:(?:aws_)?secret(?:_?access)?(?:_?key)?|access_?key(?:_?id)?|pass(?:word|wd|phrase)|(?:auth_?|session_?)?token|api_?key|private_?key|credentials?)$/i;

export function isSecretKey(key: string): boolean {
  return secretKey.test(key);
}

const sentence =
  'a secret does not belong in the config, which is copied into the results; leave it in the environment of the ' +
  'process that needs it';

/** Every key that looks like a secret's name, wherever it is. Its value is never printed. */
export function findSecrets(data: unknown, path: KeyPath = []): Problem[] {
  if (typeof data !== 'object' || data === null) return [];
  const entries: [string | number, unknown][] = Array.isArray(data)
    ? [...data.entries()]
    : Object.entries(data);
  return entries.flatMap(([key, value]) => {
    const here = [...path, key];
    return typeof key === 'string' && isSecretKey(key)
      ? [{ path: here, message: sentence, atKey: true }]
      : findSecrets(value, here);
  });
}

import { forbiddenFolders } from '../../shared/model/target.js';

/**
 * Where load may go. Decides on real paths: symlinks are resolved before (an untouched `..` or link would fool it).
 */

/**
 * @param realTarget absolute real path of the target
 * @param realRoots absolute real paths that targets are confined to (`--root`); none: not confined
 * @returns why the target is refused, one sentence; undefined when it is allowed
 */
export function refusalOf(realTarget: string, realRoots: readonly string[]): string | undefined {
  if (realTarget === '/') return 'target / is the root of the file system: name a folder below it';
  const zone = forbiddenFolders.find((folder) => isWithin(realTarget, folder));
  if (zone !== undefined) {
    return `target ${realTarget} is refused: ${zone} and everything below it belong to the system`;
  }
  if (realRoots.length > 0 && !realRoots.some((root) => isWithin(realTarget, root))) {
    return `target ${realTarget} is outside of what this agent allows (--root ${realRoots.join(', --root ')})`;
  }
  return undefined;
}

export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder.endsWith('/') ? folder : `${folder}/`);
}

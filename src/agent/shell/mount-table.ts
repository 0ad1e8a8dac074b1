/** A line of /proc/self/mounts. */
export interface Mount {
  readonly folder: string;
  readonly type: string;
  readonly source: string;
}

/** Spaces and the like are written as octal escapes there. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

export function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n')) {
    const [source, folder, type] = line.split(' ');
    if (source === undefined || folder === undefined || type === undefined) continue;
    mounts.push({ folder: unescaped(folder), type, source: unescaped(source) });
  }
  return mounts;
}

/** The mount that holds an absolute path, by its text alone: nothing is asked of the file system. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  let best: Mount | undefined;
  for (const mount of mounts) {
    const prefix = mount.folder.endsWith('/') ? mount.folder : `${mount.folder}/`;
    if (path !== mount.folder && !path.startsWith(prefix)) continue;
    // Of two mounts on one folder the later lies on top.
    if (!best || mount.folder.length >= best.folder.length) best = mount;
  }
  return best;
}

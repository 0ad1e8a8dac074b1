/** Where a path lies. */
export interface Mount {
  readonly point: string;
  readonly type: string;
  readonly device: string;
  /** Of the mount and of the file system. */
  readonly options: readonly string[];
}

/**
 * The mount that an absolute real path lies on.
 * @param mountinfo text of /proc/self/mountinfo, see proc(5): `36 35 98:0 /root /point opts shared:1 - ext3 /dev/x opts`
 */
export function mountOf(path: string, mountinfo: string): Mount | undefined {
  let best: Mount | undefined;
  for (const line of mountinfo.split('\n')) {
    const mount = parseLine(line);
    if (mount === undefined || !holds(mount.point, path)) continue;
    // A later mount on the same point hides the earlier one.
    if (best === undefined || mount.point.length >= best.point.length) best = mount;
  }
  return best;
}

function parseLine(line: string): Mount | undefined {
  const [left, right] = line.split(' - ');
  const [, , , , point, options] = left?.split(' ') ?? [];
  const [type, device, superOptions] = right?.split(' ') ?? [];
  if (point === undefined || options === undefined || type === undefined) return undefined;
  return {
    point: unescape(point),
    type,
    device: unescape(device ?? ''),
    options: [...new Set([...options.split(','), ...(superOptions ?? '').split(',')])].filter(
      (option) => option !== '',
    ),
  };
}

function holds(point: string, path: string): boolean {
  return point === '/' || path === point || path.startsWith(`${point}/`);
}

/** Space, tab, newline and backslash are written as octal numbers. */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/gu, (_, octal: string) =>
    String.fromCodePoint(Number.parseInt(octal, 8)),
  );
}

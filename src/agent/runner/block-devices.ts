/** Block devices as the kernel describes them in /sys and /proc: Node has no ioctl. */
import fs from 'node:fs';
import path from 'node:path';
import { codeOf } from '../../shared/kernel/errors.js';

/** The kernel counts sizes in these, whatever the device's own blocks are. */
const sectorBytes = 512;

/** `8:17`. @param rdev of a device node, st_rdev; how its bits are divided: gnu_dev_major(3) */
export function deviceNumber(rdev: bigint): string {
  const major = ((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & 0xfffff000n);
  const minor = (rdev & 0xffn) | ((rdev >> 12n) & 0xffffff00n);
  return `${String(major)}:${String(minor)}`;
}

export interface BlockDevice {
  readonly sizeBytes: number;
  readonly readOnly: boolean;
  /** `mounted on /home`, `swap`, `part of dm-0`: of the device, its partitions, or the disk that it is a part of. */
  readonly usedAs: string | undefined;
}

/** @throws a system error when the kernel does not list the device */
export function blockDevice(number: string): BlockDevice {
  const folder = fs.realpathSync(`/sys/dev/block/${number}`);
  const family = [folder, ...partitionsOf(folder), ...diskOf(folder)];
  return {
    sizeBytes: Number(read(folder, 'size') ?? '0') * sectorBytes,
    readOnly: read(folder, 'ro') === '1',
    usedAs: usedAs(family),
  };
}

/** `it is the image of loop0`, for a file that a loop device is made of: what is on that would be lost. */
export function imageOf(file: { readonly dev: bigint; readonly ino: bigint }): string | undefined {
  const loop = list('/sys/block').find((name) => {
    const image = readIfThere(`/sys/block/${name}/loop/backing_file`)?.trimEnd();
    const found = image && fs.statSync(image, { bigint: true, throwIfNoEntry: false });
    return found && found.dev === file.dev && found.ino === file.ino;
  });
  return loop && `it is the image of ${loop}`;
}

function usedAs(family: readonly string[]): string | undefined {
  const mounts = mountedDevices(fs.readFileSync('/proc/self/mountinfo', 'utf8'));
  const swaps = swapDevices();
  for (const folder of family) {
    const name = path.basename(folder);
    const number = read(folder, 'dev') ?? '';
    const point = mounts.get(number);
    if (point !== undefined) return `${name} is mounted on ${point}`;
    if (swaps.has(number)) return `${name} is swap space`;
    const [holder] = list(path.join(folder, 'holders'));
    if (holder !== undefined) return `${name} is part of ${holder}`;
  }
  return undefined;
}

/** Mount points by device number. File systems such as btrfs hide theirs: then the mount's source tells. */
export function mountedDevices(mountinfo: string): ReadonlyMap<string, string> {
  const mounts = new Map<string, string>();
  for (const line of mountinfo.split('\n')) {
    const [left = '', right = ''] = line.split(' - ');
    const [, , number, , point] = left.split(' ');
    const source = right.split(' ')[1] ?? '';
    if (number === undefined || point === undefined) continue;
    mounts.set(number, point);
    const ofSource = source.startsWith('/dev/') ? numberOf(source) : undefined;
    if (ofSource !== undefined) mounts.set(ofSource, point);
  }
  return mounts;
}

/** Lines of /proc/swaps: `/dev/sda2 partition 8388604 0 -2`. */
function swapDevices(): ReadonlySet<string> {
  const names = readIfThere('/proc/swaps')
    ?.split('\n')
    .map((line) => line.split(/\s/u)[0] ?? '');
  return new Set((names ?? []).flatMap((name) => numberOf(name) ?? []));
}

function numberOf(node: string): string | undefined {
  if (!node.startsWith('/')) return undefined;
  const found = fs.statSync(node, { bigint: true, throwIfNoEntry: false });
  return found?.isBlockDevice() === true ? deviceNumber(found.rdev) : undefined;
}

function partitionsOf(folder: string): readonly string[] {
  return list(folder)
    .map((name) => path.join(folder, name))
    .filter((inner) => fs.existsSync(path.join(inner, 'partition')));
}

function diskOf(folder: string): readonly string[] {
  return fs.existsSync(path.join(folder, 'partition')) ? [path.dirname(folder)] : [];
}

function read(folder: string, file: string): string | undefined {
  return readIfThere(path.join(folder, file))?.trim();
}

function readIfThere(name: string): string | undefined {
  try {
    return fs.readFileSync(name, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function list(folder: string): readonly string[] {
  try {
    return fs.readdirSync(folder);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

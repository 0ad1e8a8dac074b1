import { open } from 'node:fs/promises';

/** Longer lines than this are not looked for. */
const tailBytes = 4 * 2 ** 20;

/**
 * Gives a journal that its disk took no more of a last line. A full disk has no room for it but where the journal lies: it
 * is written over the last lines, the torn one first, as many as it takes. False: there are none that long. Rejects with
 * the system's error.
 */
export async function endJournal(path: string, line: string): Promise<boolean> {
  const bytes = Buffer.from(`${line}\n`);
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - from), 0, size - from, from);
    const last = bytesRead - bytes.length - 1;
    const at = last < 0 ? 0 : buffer.lastIndexOf('\n', last) + 1;
    // The first line says which run it is of.
    if (at === 0) return false;
    await file.write(bytes, 0, bytes.length, from + at);
    await file.truncate(from + at + bytes.length);
    await file.datasync();
    return true;
  } finally {
    await file.close();
  }
}

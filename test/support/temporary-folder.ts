import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** A fresh folder with its real path; the caller removes it. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'muster-test-')));
  return {
    path: folder,
    remove: () => {
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Relative paths of all files below, sorted. */
export function filesBelow(folder: string): readonly string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}

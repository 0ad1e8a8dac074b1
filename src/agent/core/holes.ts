/** `type` of statfs(2) where a file's count of blocks tells whether it has holes; elsewhere it may be anything. */
const countsBlocks: ReadonlySet<number> = new Set([
  0xef53, // ext2, ext3, ext4
  0x58465342, // XFS
  0x01021994, // tmpfs
]);
/** Smaller files may lie in the inode. */
const smallestWithBlocks = 4096;
const blockBytes = 512;

export interface Holes {
  readonly words: string;
  /** Else its file system may count blocks in another way (compression). */
  readonly isCertain: boolean;
}

/**
 * A hole is read from nowhere, at the speed of memory. Extents that are allocated but unwritten cannot be told.
 * @param file an ordinary one: bytes, and blocks of 512 bytes, as stat(2) has them
 * @param fileSystem `type` of statfs(2), asked for only where it matters
 */
export function holesOf(
  path: string,
  { size, blocks }: { readonly size: number; readonly blocks: number },
  fileSystem: () => number,
): Holes | undefined {
  if (size < smallestWithBlocks || blocks * blockBytes >= size) return undefined;
  const found = `${path} has holes: ${String(blocks * blockBytes)} of its ${String(size)} bytes are on the storage`;
  return countsBlocks.has(fileSystem())
    ? {
        words: `${found}. Reading holes measures nothing: write the whole file first, or prepare the dataset anew`,
        isCertain: true,
      }
    : {
        words: `${found}, if this file system counts them: reading holes measures nothing`,
        isCertain: false,
      };
}

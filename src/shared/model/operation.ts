/** The words for operations, the same for every engine. */
export const operationKinds = [
  'read',
  'write',
  'get',
  'put',
  'stat',
  'list',
  'delete',
  'mkdir',
  'rmdir',
  'rename',
] as const;

export type OperationKind = (typeof operationKinds)[number];

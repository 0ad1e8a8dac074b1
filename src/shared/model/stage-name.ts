/** What people know a stage by. Its number, should a message name one that the plan does not have. */
export function stageName(stages: readonly { readonly name: string }[], index: number): string {
  return stages[index]?.name ?? String(index);
}

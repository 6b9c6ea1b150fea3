// Patches of lists, as the renderer applies them.
type Operation = { operation: string; location: number[]; params: { value: any; index: number } };

const LISTS: Record<string, (list: any[], operation: Operation) => unknown> = {
  Append: (list, { params }) => list.push(params.value),
  Insert: (list, { params }) => list.splice(params.index, 0, params.value),
  Delete: (list, { location }) => list.splice(location[0]!, 1),
};

export function patched(value: any, given: any): any {
  if (!given?.__dash_patch_update) return given;
  const list = [...(value ?? [])];
  for (const operation of given.operations) LISTS[operation.operation]!(list, operation);
  return list;
}

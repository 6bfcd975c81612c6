/** Ordered reading of a tree. */
import { leftOf, type Node, rightOf } from "./node.ts";
import type { Root } from "./tree.ts";

/** Leaves in ascending key order. The tree may be replaced, never changed, meanwhile: committed roots only. */
export function* leaves(root: Root): Generator<Node, void, undefined> {
  const stack: Node[] = [];
  let node = root;
  while (node !== null || stack.length > 0) {
    while (node !== null && node.height > 0) {
      stack.push(node);
      node = node.left;
    }
    if (node !== null) yield node;
    const up = stack.pop();
    if (up === undefined) return;
    node = up.right;
  }
}

/** Every node, children before their parent, left before right: the order a tree can be rebuilt from with a stack. */
export function* postOrder(root: Root): Generator<Node, void, undefined> {
  if (root === null) return;
  const stack: { node: Node; visited: boolean }[] = [{ node: root, visited: false }];
  while (stack.length > 0) {
    const top = stack[stack.length - 1] as { node: Node; visited: boolean };
    if (top.node.height === 0 || top.visited) {
      stack.pop();
      yield top.node;
      continue;
    }
    top.visited = true;
    stack.push(
      { node: rightOf(top.node), visited: false },
      { node: leftOf(top.node), visited: false },
    );
  }
}

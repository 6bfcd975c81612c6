/** How a message is built, and which of its fields hold messages: all that Amino JSON needs to know of one. */

export interface Shape {
  readonly create: () => object;
  readonly nested?: Readonly<Record<string, Shape>>;
}

interface Buildable {
  fromPartial(fields: never): object;
}

export function shape(codec: Buildable, nested: Readonly<Record<string, Shape>> = {}): Shape {
  return { create: () => codec.fromPartial({} as never), nested };
}

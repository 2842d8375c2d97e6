// The names of rooms.

/** The room behind paths without a name. */
export const DEFAULT_ROOM = 'default';

/** Whether a room may be called so. */
export function isRoom(name: string): boolean {
  return /^[\w.-]{1,64}$/.test(name);
}

/** What `isRoom` asks for, in a sentence. */
export const ROOM_NAME = 'A room name is 1 to 64 letters, digits, dots, underscores or hyphens.';

/** What somebody hears who asks for a room that is closed. */
export const NO_ROOM = 'There is no such room.';

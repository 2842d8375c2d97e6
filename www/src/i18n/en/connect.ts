// Texts of the connect form, in English.

export const connect = {
  'connect.title': 'Connection',
} as const;

// Texts of the connect form, in Chinese.

export const connect = {
  'connect.title': '连接',
} as const;

// Texts of the view of this name, in Chinese.

export const broker = {
  'broker.placeholder': '代理内部的会话、订阅、队列和保留消息。',
} as const;

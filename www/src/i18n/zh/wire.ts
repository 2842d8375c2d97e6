// Texts of the view of this name, in Chinese.

export const wire = {
  'wire.placeholder': '客户端与代理之间的每一个报文，逐字段解读。',
} as const;

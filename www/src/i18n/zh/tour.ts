// Texts of the view of this name, in Chinese.

export const tour = {
  'tour.placeholder': '客户端、代理、主题、通配符、QoS、保留消息、遗嘱和会话：边做边学。',
} as const;

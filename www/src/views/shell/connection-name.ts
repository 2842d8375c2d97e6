// What a connection and its server are called.

import { t } from '../../i18n/index.ts';
import type { Connection } from '../../model/connection.ts';

/** The profile's name, or else the Client Identifier. */
export function connectionName({ profile, welcome, number }: Connection): string {
  return profile.name || profile.clientId || welcome.value?.clientId || t('connections.unnamed', { number: String(number) });
}

/** Where it leads, in short. */
export function serverName(server: string): string {
  if (server === 'tab') return t('connections.inTab');
  return URL.canParse(server) ? new URL(server).host : server;
}

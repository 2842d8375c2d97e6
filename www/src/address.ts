// The view in the address of the page: a reload, a link and the button Back lead to it. Links to profiles go where they belong.

import { effect } from '@preact/signals';
import { VIEWS, type Workspace } from './model/workspace.ts';

/** Does what the address says, now and whenever it changes, and says there what is looked at. */
export function followAddress(workspace: Workspace): void {
  const follow = () => {
    const { view } = workspace;
    if (workspace.follow(location.href)) history.replaceState(null, '', location.pathname + location.search + (view.value === FIRST ? '' : `#${view.value}`));
    else view.value = VIEWS.find((name) => location.hash === `#${name}`) ?? FIRST;
  };
  follow();
  addEventListener('hashchange', follow);
  effect(() => {
    const view = workspace.view.value;
    if (`#${view}` !== (location.hash || `#${FIRST}`)) history.pushState(null, '', `#${view}`);
  });
}

/** Where no other is named. */
const FIRST = 'messages';

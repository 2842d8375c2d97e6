// Starts the page: its language, its state, and its first drawing.

// First, so that what a part of the page says of itself counts more.
import './style/tokens.css';
import './style/base.css';
import './style/controls.css';
import './style/layout.css';
import './style/messages.css';
import './style/connect.css';

import { render } from 'preact';
import { followAddress } from './address.ts';
import { App } from './app.tsx';
import { preferredLocale, setLocale } from './i18n/index.ts';
import { applyTheme } from './theme.ts';
import { Workspace } from './model/workspace.ts';
import { keepOffline } from './offline/register.ts';

const workspace = new Workspace();
applyTheme();
void workspace.start().finally(keepOffline);
await setLocale(preferredLocale(), false).catch(() => setLocale('en', false));

followAddress(workspace);

const root = document.querySelector('#app');
if (root) render(<App workspace={workspace} />, root);

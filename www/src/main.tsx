import { render } from 'preact';
import { App } from './app.js';
import { Console } from './state/console.js';
import './style/base.css';
import './style/layout.css';
import './style/controls.css';
import './style/log.css';

const root = document.querySelector('#app');
if (root) render(<App console={Console.start()} />, root);

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app.js';
import './styles/tokens.css';
import './styles/base.css';
import './styles/welcome.css';
import './styles/workspace.css';
import './styles/rooms.css';
import './styles/conversation.css';
import './styles/message.css';
import './styles/actions.css';
import './styles/panels.css';
import './styles/narrow.css';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

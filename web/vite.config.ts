import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `npm start` serves; `npx vite web` sends to it what the page asks of its own origin. */
const server = process.env['PARLEY_URL'] ?? 'http://localhost:3000';

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    // The page runs under `default-src 'self'`, which refuses data: addresses.
    assetsInlineLimit: 0,
  },
  server: {
    fs: { allow: ['..'] },
    proxy: { '/v1': server, '/socket.io': { target: server, ws: true } },
  },
});

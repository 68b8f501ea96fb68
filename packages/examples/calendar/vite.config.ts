import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { pageWorker } from './page-worker-plugin.js';

/**
 * `oxbow-source`: the SDK comes from its sources, so that the example needs no build before its
 * own.
 */
export default defineConfig({
  plugins: [react(), pageWorker()],
  base: './',
  resolve: { conditions: ['oxbow-source', 'module', 'browser', 'development|production'] },
  build: { outDir: 'dist', target: 'es2023', sourcemap: true, chunkSizeWarningLimit: 900 },
  server: { host: '127.0.0.1', port: 5173, strictPort: true },
});

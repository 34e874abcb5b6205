import { register } from 'node:module';

register('./typescript-loader.mjs', import.meta.url);
const { startServices } = await import('./services.ts');

export default startServices;

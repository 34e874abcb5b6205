import './typescript.mjs';

const { startServices } = await import('./services.ts');

export default startServices;

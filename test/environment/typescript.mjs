/** `node --import ./test/environment/typescript.mjs file.ts` runs our TypeScript as it is. */
import { register } from 'node:module';

register('./typescript-loader.mjs', import.meta.url);

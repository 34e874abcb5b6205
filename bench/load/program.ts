import { Generator } from './generator.js';
import type { Job, Told } from './job.js';

/** The generator as a process of its own: gets one job, tells when the measured time begins and ends, and what came of it. */
const tell = (told: Told): void => void process.send?.(told);

process.once('message', (job: Job) => {
  const generator = new Generator(job);
  generator
    .prepare()
    .then(() => generator.run((type) => tell({ type })))
    .then((outcome) => tell({ type: 'outcome', outcome }))
    .then(
      () => {
        generator.close();
        process.disconnect();
      },
      (error: unknown) => {
        console.error(error);
        // At once: connections that were not needed any more would keep it alive.
        process.exit(1);
      },
    );
});

/** What is no generator: it ends, because nothing keeps it, instead of carrying out what it is told. */
process.once('message', () => (process.exitCode = 3));

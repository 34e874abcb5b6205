/** What is no generator: it ends instead of carrying out what it is told. */
process.once('message', () => process.exit(3));

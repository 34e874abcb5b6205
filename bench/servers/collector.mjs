/** Loaded before a server, so that its memory can be compared: collects garbage when it is told to, and says so. */
process.on('message', (message) => {
  if (message !== 'collect') return;
  globalThis.gc();
  process.send('collected');
});
process.channel?.unref();

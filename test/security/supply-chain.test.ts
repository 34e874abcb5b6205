import { readFileSync } from 'node:fs';

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, unknown> };

describe('what is installed', () => {
  it.each(['socket.io', 'socket.io-parser', 'engine.io', 'engine.io-parser', 'socket.io-adapter', 'ws'])(
    'has one copy of %s (S-57)',
    (name) => {
      const places = Object.keys(packages).filter((place) => place.endsWith(`node_modules/${name}`));
      expect(places).toEqual([`node_modules/${name}`]);
    },
  );

  it('runs no script of its own, here and in the image (S-57)', () => {
    expect(readFileSync('.npmrc', 'utf8')).toMatch(/^ignore-scripts=true$/m);
    const image = readFileSync('Dockerfile', 'utf8');
    expect(image).toMatch(/^COPY package.json package-lock.json .npmrc /m);
    // What hashes passwords comes as an optional package for each platform.
    expect(image).not.toContain('--omit=optional');
  });

  it('comes with its hash, from the registry (S-57)', () => {
    const { '': _, ...others } = packages as Record<string, { integrity?: string; link?: boolean }>;
    const unknown = Object.entries(others).filter(([, { integrity = '' }]) => !integrity.startsWith('sha512-'));
    expect(unknown.map(([place]) => place)).toEqual([]);
  });
});

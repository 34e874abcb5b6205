import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** An authority, and a certificate of it for `127.0.0.1` alone, with its key: the paths of PEM files. */
export interface Certificates {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Made anew in `dir`, for a day. @param name begins the names of the files */
export async function makeCertificates(dir: string, name: string): Promise<Certificates> {
  const file = (end: string) => join(dir, `${name}-${end}`);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'ignore' });
  const fresh = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const [authority, authorityKey] = [file('ca.pem'), file('ca.key')];
  openssl('req', '-x509', ...fresh, '-days', '1', '-subj', `/CN=${name}`, '-keyout', authorityKey, '-out', authority);
  const [certificate, key, request] = [file('server.pem'), file('server.key'), file('server.csr')];
  openssl('req', ...fresh, '-subj', '/CN=server', '-keyout', key, '-out', request);
  await writeFile(file('server.ext'), 'subjectAltName=IP:127.0.0.1');
  const by = ['-CA', authority, '-CAkey', authorityKey, '-set_serial', '1', '-extfile', file('server.ext')];
  openssl('x509', '-req', '-days', '1', '-in', request, ...by, '-out', certificate);
  return { authority, certificate, key };
}

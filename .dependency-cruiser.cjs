/** Who may import whom. ARCHITECTURE.md says why; `npm run imports` checks it. */
const features = ['health', 'admin', 'messages', 'screening', 'rooms', 'accounts', 'auth', 'users'];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'protocol-imports-nothing-of-ours',
      severity: 'error',
      from: { path: '^src/protocol/' },
      to: { path: '^(src|sdk|web|test)/', pathNot: '^src/protocol/' },
    },
    {
      name: 'sdk-imports-protocol-only',
      severity: 'error',
      from: { path: '^sdk/' },
      to: { path: '^(src|web|test)/', pathNot: '^src/protocol/' },
    },
    {
      name: 'web-imports-sdk-only',
      severity: 'error',
      from: { path: '^web/' },
      to: { path: '^(src|test)/', pathNot: '^src/protocol/' },
    },
    {
      name: 'realtime-knows-no-feature',
      severity: 'error',
      from: { path: '^src/realtime/' },
      to: { path: `^src/(${features.join('|')})/`, pathNot: '^src/(auth/(access|caller|tokens)|users/access)' },
    },
    {
      name: 'features-import-downward',
      comment:
        'The order is health, admin, messages, screening, rooms, accounts, auth, users: each may use those after it, none before it.',
      severity: 'error',
      from: { path: '^src/(users|auth|accounts|rooms|screening|messages)/' },
      to: { path: '^src/(health|admin)/' },
    },
    {
      name: 'rooms-do-not-know-messages',
      severity: 'error',
      from: { path: '^src/(screening|rooms|accounts|auth|users)/' },
      to: { path: '^src/messages/' },
    },
    {
      name: 'auth-does-not-know-rooms',
      severity: 'error',
      from: { path: '^src/(accounts|auth|users)/' },
      to: { path: '^src/rooms/' },
    },
    {
      name: 'auth-does-not-know-accounts',
      severity: 'error',
      from: { path: '^src/(auth|users)/' },
      to: { path: '^src/accounts/' },
    },
    { name: 'users-do-not-know-auth', severity: 'error', from: { path: '^src/users/' }, to: { path: '^src/auth/' } },
    {
      name: 'edges-only-map',
      comment: 'Gateways and controllers call a service; what they return is decided there.',
      severity: 'error',
      from: { path: '\\.(gateway|controller)\\.ts$' },
      to: { path: 'node_modules/(typeorm|@nestjs/typeorm|pg|socket\\.io)/' },
    },
    {
      name: 'services-know-no-transport',
      severity: 'error',
      from: { path: '\\.service\\.ts$' },
      to: { path: 'node_modules/(socket\\.io|express|@nestjs/websockets|@nestjs/platform-)' },
    },
    {
      name: 'only-realtime-imports-socket.io',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/realtime/' },
      to: { path: 'node_modules/(socket\\.io|@socket\\.io|@nestjs/platform-socket\\.io)/' },
    },
    { name: 'tests-stay-outside', severity: 'error', from: { path: '^(src|sdk|web)/' }, to: { path: '^test/' } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};

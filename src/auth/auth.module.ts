import { Global, Module } from '@nestjs/common';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { UsersModule } from '../users/users.module.js';
import { AccessService } from './access.service.js';
import { AccountSessionsService } from './account-sessions.service.js';
import { AccountTokens } from './account-tokens.js';
import { ApiKeysService } from './api-keys.service.js';
import { AppKeys, SharedKeys } from './app-keys.js';
import { GuestsController } from './guests.controller.js';
import { GuestsService } from './guests.service.js';
import { PublishedKeys } from './published-keys.js';
import { SignedInGuard } from './signed-in.guard.js';
import { TokensService } from './tokens.service.js';

const appKeys = {
  provide: AppKeys,
  inject: [CONFIG],
  useFactory: ({ app }: Config): AppKeys | Promise<AppKeys> => {
    if (app === undefined) return new SharedKeys([]);
    const { trust } = app;
    return 'secrets' in trust ? new SharedKeys(trust.secrets) : PublishedKeys.open(trust.keys, trust.algorithms);
  },
};

@Global()
@Module({
  imports: [UsersModule],
  controllers: [GuestsController],
  providers: [
    appKeys,
    AccessService,
    AccountSessionsService,
    AccountTokens,
    ApiKeysService,
    TokensService,
    GuestsService,
    SignedInGuard,
  ],
  exports: [
    AccessService,
    AccountSessionsService,
    AccountTokens,
    ApiKeysService,
    AppKeys,
    TokensService,
    SignedInGuard,
  ],
})
export class AuthModule {}

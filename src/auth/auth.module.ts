import { Global, Module } from '@nestjs/common';
import { UsersModule } from '../users/users.module.js';
import { GuestsController } from './guests.controller.js';
import { GuestsService } from './guests.service.js';
import { SignedInGuard } from './signed-in.guard.js';
import { TokensService } from './tokens.service.js';

@Global()
@Module({
  imports: [UsersModule],
  controllers: [GuestsController],
  providers: [TokensService, GuestsService, SignedInGuard],
  exports: [TokensService, SignedInGuard],
})
export class AuthModule {}

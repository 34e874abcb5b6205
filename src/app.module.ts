import { Global, Module, type DynamicModule } from '@nestjs/common';
import { AccountsModule } from './accounts/accounts.module.js';
import { AdminModule } from './admin/admin.module.js';
import { AuthModule } from './auth/auth.module.js';
import type { Config } from './config.js';
import { CONFIG } from './config.token.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './health/health.module.js';
import { LimitsModule } from './limits/limits.module.js';
import { MessagesModule } from './messages/messages.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';
import { PresenceModule } from './presence/presence.module.js';
import { ReadsModule } from './reads/reads.module.js';
import { RoomsModule } from './rooms/rooms.module.js';
import { ScreeningModule } from './screening/screening.module.js';
import { SyncModule } from './sync/sync.module.js';
import { UsersModule } from './users/users.module.js';

@Global()
@Module({
  imports: [
    DatabaseModule,
    LimitsModule,
    RealtimeModule,
    UsersModule,
    AuthModule,
    AccountsModule,
    RoomsModule,
    ScreeningModule,
    MessagesModule,
    ReadsModule,
    PresenceModule,
    SyncModule,
    AdminModule,
    HealthModule,
  ],
})
export class AppModule {
  static with(config: Config): DynamicModule {
    return { module: AppModule, providers: [{ provide: CONFIG, useValue: config }], exports: [CONFIG] };
  }
}

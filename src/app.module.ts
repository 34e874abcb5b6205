import { Global, Module, type DynamicModule } from '@nestjs/common';
import { AdminModule } from './admin/admin.module.js';
import { AuthModule } from './auth/auth.module.js';
import type { Config } from './config.js';
import { CONFIG } from './config.token.js';
import { DatabaseModule } from './database/database.module.js';
import { HealthModule } from './health/health.module.js';
import { MessagesModule } from './messages/messages.module.js';
import { RealtimeModule } from './realtime/realtime.module.js';
import { RoomsModule } from './rooms/rooms.module.js';
import { SyncModule } from './sync/sync.module.js';
import { UsersModule } from './users/users.module.js';

@Global()
@Module({
  imports: [
    DatabaseModule,
    RealtimeModule,
    UsersModule,
    AuthModule,
    RoomsModule,
    MessagesModule,
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

import { Module, type MiddlewareConsumer, type NestModule } from '@nestjs/common';
import { MessagesModule } from '../messages/messages.module.js';
import { RoomsModule } from '../rooms/rooms.module.js';
import { ScreeningModule } from '../screening/screening.module.js';
import { AdminAuditController } from './admin-audit.controller.js';
import { AdminAuditService } from './admin-audit.service.js';
import { AdminFiltersController } from './admin-filters.controller.js';
import { AdminKeysController } from './admin-keys.controller.js';
import { AdminReportsController } from './admin-reports.controller.js';
import { AdminUsersController } from './admin-users.controller.js';
import { AdminUsersService } from './admin-users.service.js';
import { AdminController } from './admin.controller.js';
import { AdminDoor } from './admin-door.js';
import { AdminPort } from './admin-port.js';
import { AdminGuard } from './admin.guard.js';
import { AdminService } from './admin.service.js';

@Module({
  imports: [RoomsModule, MessagesModule, ScreeningModule],
  controllers: [
    AdminController,
    AdminUsersController,
    AdminReportsController,
    AdminFiltersController,
    AdminKeysController,
    AdminAuditController,
  ],
  providers: [AdminService, AdminAuditService, AdminUsersService, AdminDoor, AdminGuard, AdminPort],
})
export class AdminModule implements NestModule {
  configure(consumer: MiddlewareConsumer): void {
    consumer.apply(AdminDoor).forRoutes('admin', 'admin/{*path}');
  }
}

import { Controller, Get, Query, UseGuards } from '@nestjs/common';
import { ApiSecurity, ApiTags } from '@nestjs/swagger';
import { Answers } from '../rest/answers.js';
import { AdminGuard } from './admin.guard.js';
import { AuditPage, AuditQuery } from './admin-audit.schemas.js';
import { AdminAuditService } from './admin-audit.service.js';

@ApiTags('admin')
@ApiSecurity('admin')
@UseGuards(AdminGuard)
@Controller('admin/v1/audit')
export class AdminAuditController {
  constructor(private readonly audit: AdminAuditService) {}

  @Get()
  @Answers(200, AuditPage)
  list(@Query({ schema: AuditQuery }) query: AuditQuery): Promise<AuditPage> {
    return this.audit.list(query);
  }
}

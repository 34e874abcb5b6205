import { Body, Controller, Delete, Get, Param, Post, UseGuards } from '@nestjs/common';
import { ApiSecurity, ApiTags } from '@nestjs/swagger';
import { ApiKeysService } from '../auth/api-keys.service.js';
import { Id } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { TheActor, type Actor } from './actor.js';
import { AdminGuard } from './admin.guard.js';
import { AdminKey, AdminKeys, MadeKey, MakeKey } from './admin-keys.schemas.js';

@ApiTags('admin')
@ApiSecurity('admin')
@UseGuards(AdminGuard)
@Controller('admin/v1/keys')
export class AdminKeysController {
  constructor(private readonly keys: ApiKeysService) {}

  @Get()
  @Answers(200, AdminKeys)
  async list(): Promise<AdminKeys> {
    return { items: (await this.keys.list()).map(toAdminKey) };
  }

  @Post()
  @Answers(201, MadeKey)
  async make(
    @TheActor() actor: Actor,
    @Body({ schema: MakeKey }) { name, scopes, userId, expiresAt }: MakeKey,
  ): Promise<MadeKey> {
    const { key, secret } = await this.keys.make(actor, name, [...new Set(scopes)], userId, expiresAt);
    return { key: toAdminKey(key), token: secret };
  }

  @Delete(':keyId')
  @Answers(200, AdminKey)
  async revoke(@TheActor() actor: Actor, @Param('keyId', { schema: Id }) keyId: string): Promise<AdminKey> {
    return toAdminKey(await this.keys.revoke(actor, keyId));
  }
}

function toAdminKey({
  createdAt,
  expiresAt,
  revokedAt,
  lastUsedAt,
  ...key
}: Awaited<ReturnType<ApiKeysService['revoke']>>): AdminKey {
  return {
    ...key,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    revokedAt: revokedAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}

import { Body, Controller, Get, Param, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import { Id, MarkRead, ReadState, Receipts } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { ReadsService } from './reads.service.js';

const MarkBody = MarkRead.omit({ roomId: true });

@ApiTags('reads')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1/rooms/:roomId/reads')
export class ReadsController {
  constructor(private readonly reads: ReadsService) {}

  @Post()
  @Answers(200, ReadState)
  mark(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: MarkBody }) body: z.output<typeof MarkBody>,
  ): Promise<ReadState> {
    return this.reads.mark(caller, { roomId, ...body });
  }

  @Get()
  @Answers(200, Receipts)
  list(@RestCaller() caller: Caller, @Param('roomId', { schema: Id }) roomId: string): Promise<Receipts> {
    return this.reads.receipts(caller, { roomId });
  }
}

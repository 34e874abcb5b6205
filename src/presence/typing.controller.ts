import { Body, Controller, Param, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import type { z } from 'zod';
import type { Caller } from '../auth/caller.js';
import { RestCaller, SignedInGuard } from '../auth/signed-in.guard.js';
import { Done, Id, SetTyping } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';
import { TypingService } from './typing.service.js';

const TypingBody = SetTyping.omit({ roomId: true });

@ApiTags('presence')
@ApiBearerAuth()
@UseGuards(SignedInGuard)
@Controller('v1/rooms/:roomId/typing')
export class TypingController {
  constructor(private readonly typing: TypingService) {}

  @Post()
  @Answers(200, Done)
  set(
    @RestCaller() caller: Caller,
    @Param('roomId', { schema: Id }) roomId: string,
    @Body({ schema: TypingBody }) { on }: z.output<typeof TypingBody>,
  ): Promise<Done> {
    return this.typing.set(caller, { roomId, on });
  }
}

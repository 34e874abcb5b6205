import { Body, Controller, Post, UseGuards } from '@nestjs/common';
import { ApiBearerAuth, ApiTags } from '@nestjs/swagger';
import { ClientAddress } from '../limits/client-address.js';
import { Answers } from '../rest/answers.js';
import { EnterAsGuest, GuestSession } from '../protocol/index.js';
import type { Caller } from './caller.js';
import { GuestsService } from './guests.service.js';
import { RestCaller, SignedInGuard } from './signed-in.guard.js';

@ApiTags('identity')
@Controller('v1/guests')
export class GuestsController {
  constructor(private readonly guests: GuestsService) {}

  @Post()
  @Answers(201, GuestSession)
  enter(
    @Body({ schema: EnterAsGuest }) request: EnterAsGuest,
    @ClientAddress() address: string,
  ): Promise<GuestSession> {
    return this.guests.enter(request, address);
  }

  @Post('renew')
  @ApiBearerAuth()
  @UseGuards(SignedInGuard)
  @Answers(201, GuestSession)
  renew(@RestCaller() caller: Caller): Promise<GuestSession> {
    return this.guests.renew(caller);
  }
}

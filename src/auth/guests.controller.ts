import { Body, Controller, Post } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { Answers } from '../rest/answers.js';
import { EnterAsGuest, GuestSession } from '../protocol/index.js';
import { GuestsService } from './guests.service.js';

@ApiTags('identity')
@Controller('v1/guests')
export class GuestsController {
  constructor(private readonly guests: GuestsService) {}

  @Post()
  @Answers(201, GuestSession)
  enter(@Body({ schema: EnterAsGuest }) request: EnterAsGuest): Promise<GuestSession> {
    return this.guests.enter(request);
  }
}

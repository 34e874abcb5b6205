import { Controller, Get, Inject } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { WaysIn } from '../protocol/index.js';
import { Answers } from '../rest/answers.js';

@ApiTags('identity')
@Controller('v1/ways-in')
export class WaysInController {
  constructor(@Inject(CONFIG) private readonly config: Config) {}

  @Get()
  @Answers(200, WaysIn)
  get(): Promise<WaysIn> {
    const { guests, accounts } = this.config;
    return Promise.resolve({ guests: guests !== undefined, accounts: accounts !== undefined });
  }
}

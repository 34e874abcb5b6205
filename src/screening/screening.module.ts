import { Module } from '@nestjs/common';
import { RoomsModule } from '../rooms/rooms.module.js';
import { FilterCache } from './filter-cache.js';
import { FiltersController } from './filters.controller.js';
import { FiltersGateway } from './filters.gateway.js';
import { FiltersService } from './filters.service.js';
import { PreSendHook } from './pre-send-hook.js';
import { Screening } from './screening.js';

@Module({
  imports: [RoomsModule],
  controllers: [FiltersController],
  providers: [FilterCache, FiltersService, FiltersGateway, PreSendHook, Screening],
  exports: [FiltersService, Screening],
})
export class ScreeningModule {}

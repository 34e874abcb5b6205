import { Global, Logger, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { Admission } from './admission.js';
import { dataSourceOptions } from './data-source.js';
import { Durability } from './durability.js';
import { migrate } from './migrate.js';
import { Pulse } from './pulse.js';
import { oncePostgresAnswers } from './patience.js';

@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [CONFIG],
      useFactory: async ({ database }: Config) => {
        for (const name of await oncePostgresAnswers(() => migrate(database)))
          new Logger('Migrations').log(`Ran ${name}`);
        return { ...dataSourceOptions(database), autoLoadEntities: true, retryAttempts: 0 };
      },
    }),
  ],
  providers: [Admission, Durability, Pulse],
  exports: [Admission, Pulse],
})
export class DatabaseModule {}

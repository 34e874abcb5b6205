import { Logger, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Config } from '../config.js';
import { CONFIG } from '../config.token.js';
import { dataSourceOptions } from './data-source.js';
import { migrate } from './migrate.js';

@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [CONFIG],
      useFactory: async ({ database }: Config) => {
        for (const name of await migrate(database)) new Logger('Migrations').log(`Ran ${name}`);
        return { ...dataSourceOptions(database), autoLoadEntities: true, retryAttempts: 0 };
      },
    }),
  ],
})
export class DatabaseModule {}

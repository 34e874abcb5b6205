import { Injectable, type OnModuleInit } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** The database's own name for its log; another one after a backup was restored. Cursors of another epoch mean nothing here. */
@Injectable()
export class Epoch implements OnModuleInit {
  id = '';

  constructor(private readonly dataSource: DataSource) {}

  async onModuleInit(): Promise<void> {
    const rows: unknown = await this.dataSource.query('select epoch from server_state');
    this.id = (rows as { epoch: string }[])[0]?.epoch ?? '';
  }
}
